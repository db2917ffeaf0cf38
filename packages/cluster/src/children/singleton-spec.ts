import type { ActorSpec } from "@mini-otp/runtime";

/** An actor that runs on one node of the cluster at a time; as `ActorSpec`. Its `init` gets `args` with `fence`. */
export interface SingletonSpec<A = any> extends Omit<ActorSpec<A>, "kind" | "name" | "significant" | "args"> {
  readonly id: string;
  readonly args?: Readonly<Record<string, unknown>> | undefined;
  /** Labels that a node must have to run it. Default: any node that declares it. */
  readonly on?: Readonly<Record<string, string>> | undefined;
}
