import type { ActorSpec } from "@mini-otp/runtime";

/** What an owner shows to a store, which takes nothing from one with an earlier token. */
export interface Fence {
  /** Grows with each owner: first by the first number, then by the second. */
  readonly token: readonly [epoch: number, revision: number];
  /** @internal When it ends unless it is renewed, by two clocks: see `isHeld` of `@mini-otp/cluster/actor`. */
  readonly until: BigInt64Array;
}

/** An actor that runs on one node of the cluster at a time; as `ActorSpec`. Its `init` gets `args` with `fence`. */
export interface SingletonSpec<A = any> extends Omit<ActorSpec<A>, "kind" | "name" | "significant" | "args"> {
  readonly id: string;
  readonly args?: Readonly<Record<string, unknown>>;
  /** Labels that a node must have to run it. Default: any node that declares it. */
  readonly on?: Readonly<Record<string, string>>;
}
