import type { WithTypeof } from "../protocol/refs/actor-types.js";

/** What `init` of the actor of the type `A` takes. */
export type ChildArgs<A> = 0 extends 1 & A
  ? { args?: any }
  : A extends { init?: (args: infer Args, ...rest: never[]) => unknown }
    ? undefined extends Args
      ? { args?: Args }
      : { args: Args }
    : { args?: any };

/** The fields of a spec that `ctx.startChild` takes, with the meanings and the defaults that `system.startChild` gives them. */
export interface ActorChildOptions {
  /** Unique among the actor's children. Default: `child-1`, `child-2`, …. */
  readonly id?: string | undefined;
  readonly restart?: "permanent" | "transient" | "temporary" | undefined;
  readonly shutdown?: number | "brutal_kill" | "infinity" | undefined;
  readonly backoff?:
    | {
        readonly minMs?: number | undefined;
        readonly maxMs?: number | undefined;
        readonly factor?: number | undefined;
        readonly jitter?: number | undefined;
        readonly resetAfterMs?: number | undefined;
      }
    | undefined;
  readonly name?: string | undefined;
  readonly isolation?: "thread" | "process" | undefined;
  readonly startTimeoutMs?: number | undefined;
  readonly heapCapMb?: number | undefined;
  readonly offHeapCapMb?: number | undefined;
  readonly handlerTimeoutMs?: number | undefined;
  readonly callTimeoutMs?: number | undefined;
  readonly maxDeliveries?: number | undefined;
  readonly throws?: "crash" | "reply" | undefined;
  readonly mailbox?:
    | {
        readonly capacity?: number | undefined;
        readonly capacityBytes?: number | undefined;
        readonly overflow?: "block" | "reject" | "drop_newest" | "drop_oldest" | undefined;
        readonly blockTimeoutMs?: number | undefined;
        readonly onRestart?: "keep" | "drop" | undefined;
      }
    | undefined;
  readonly console?: "inherit" | "log" | undefined;
  readonly env?: "inherit" | "none" | Readonly<Record<string, string | undefined>> | undefined;
  readonly execArgv?: readonly string[] | undefined;
  readonly permissions?: object | undefined;
}

/** What `ctx.startChild` takes for an actor. `A` is the type of its definition. */
export type ActorChildSpec<A = any> = ActorChildOptions &
  ChildArgs<A> &
  WithTypeof<A, "ctx.startChild<typeof X>(spec)"> & {
    readonly kind?: "actor" | undefined;
    /** The module: `new URL("./x.actor.js", import.meta.url)`. */
    readonly actor: URL | string;
  };

/** What `ctx.startChild` takes for a router, whose members are actors of the type `A`. */
export type RouterChildSpec<A = any> = ActorChildOptions &
  ChildArgs<A> &
  WithTypeof<A, "ctx.startChild<typeof X>(spec)"> & {
    readonly kind: "router";
    readonly actor: URL | string;
    readonly size: number;
    readonly route: "round_robin" | "least_loaded" | "consistent_hash";
    readonly intensity?: number | undefined;
    readonly periodMs?: number | undefined;
  };

/** What `ctx.startChild` takes for a pool; its options are those of `pool(…)`. */
export interface PoolChildSpec {
  readonly kind: "pool";
  readonly id?: string | undefined;
  readonly filename: URL | string;
  readonly [option: string]: unknown;
}
