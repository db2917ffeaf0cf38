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
  readonly id?: string;
  readonly restart?: "permanent" | "transient" | "temporary";
  readonly shutdown?: number | "brutal_kill" | "infinity";
  readonly backoff?: {
    readonly minMs?: number;
    readonly maxMs?: number;
    readonly factor?: number;
    readonly jitter?: number;
    readonly resetAfterMs?: number;
  };
  readonly name?: string;
  readonly startTimeoutMs?: number;
  readonly heapCapMb?: number;
  readonly offHeapCapMb?: number;
  readonly handlerTimeoutMs?: number;
  readonly callTimeoutMs?: number;
  readonly maxDeliveries?: number;
  readonly throws?: "crash" | "reply";
  readonly mailbox?: {
    readonly capacity?: number;
    readonly capacityBytes?: number;
    readonly overflow?: "block" | "reject" | "drop_newest" | "drop_oldest";
    readonly blockTimeoutMs?: number;
    readonly onRestart?: "keep" | "drop";
  };
  readonly console?: "inherit" | "log";
  readonly env?: "inherit" | "none" | Readonly<Record<string, string | undefined>>;
  readonly execArgv?: readonly string[];
  readonly permissions?: object;
}

/** What `ctx.startChild` takes for an actor. `A` is the type of its definition. */
export type ActorChildSpec<A = any> = ActorChildOptions &
  ChildArgs<A> & {
    readonly kind?: "actor";
    /** The module: `new URL("./x.actor.js", import.meta.url)`. */
    readonly actor: URL | string;
  };

/** What `ctx.startChild` takes for a router, whose members are actors of the type `A`. */
export type RouterChildSpec<A = any> = ActorChildOptions &
  ChildArgs<A> & {
    readonly kind: "router";
    readonly actor: URL | string;
    readonly size: number;
    readonly route: "round_robin" | "least_loaded" | "consistent_hash";
    readonly intensity?: number;
    readonly periodMs?: number;
  };

/** What `ctx.startChild` takes for a pool; its options are those of `pool(…)`. */
export interface PoolChildSpec {
  readonly kind: "pool";
  readonly id?: string;
  readonly filename: URL | string;
  readonly [option: string]: unknown;
}
