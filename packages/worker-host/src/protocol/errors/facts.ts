import type { ExitReason } from "./reason-kinds.js";

/** The actor, router, pool or supervisor that an error is about: its path from the root, as `root/ingest/hasher`. */
export interface ProcessFacts {
  readonly id: string;
}

/** A method of one of them, or an operation on one, as `getState`. */
export interface MethodFacts extends ProcessFacts {
  readonly method: string;
}

/** A module that was not found, or does not load. */
export interface ModuleFacts extends ProcessFacts {
  /** The URLs of the files that were looked for. Absent when one was found. */
  readonly tried: readonly string[];
}

/** The options of a mailbox that has no room. */
export interface MailboxFacts {
  /** How many messages it holds. */
  readonly capacity: number;
  /** How many bytes they may take. */
  readonly capacityBytes: number;
  readonly overflow: "block" | "reject" | "drop_newest" | "drop_oldest";
  /** How long a sender waits under `"block"`. */
  readonly blockTimeoutMs: number;
}

/** A child that a supervisor was asked about. */
export interface ChildFacts extends ProcessFacts {
  /** The reference of the child that is there; of a resource, what runs. */
  readonly ref?: any;
}

/** An upgrade that failed says how far it came. */
export interface StageFacts {
  readonly stage?: string;
}

/** Why a start failed. */
export interface StartFacts extends ProcessFacts, StageFacts {
  readonly reason: ExitReason;
}

/** A field of a child spec that is not as it must be. */
export interface SpecFacts extends ProcessFacts {
  /** The field, with its path: `mailbox.capacity`. Empty for the spec as a whole. */
  readonly field: string;
  readonly value: unknown;
  readonly allowed: string;
}

/** The node of a cluster that an error is about. */
export interface NodeFacts {
  readonly node: string;
}

/** What an ERR_INVALID_OPTION says. */
export interface OptionFacts {
  /** What was called, as `stop` or `id=root/a with`. */
  readonly function: string;
  /** The option or the argument, with its path: `guard.intervalMs`. Empty for the options as a whole. */
  readonly field: string;
  readonly value: unknown;
  readonly allowed: string;
}

/**
 * The codes that an `ActorError` can have, and the facts that each tells beside its message, as properties of the error.
 * `isActorError(error, code)` narrows to them, and so does a comparison of `error.code`.
 */
export interface FactsByCode {
  /**
   * The module was not found, then with the URLs that were `tried`; did not load, then with a `cause`; or has no actor.
   * Without `id` before it is known which child is meant.
   */
  ERR_ACTOR_MODULE: Partial<ModuleFacts>;
  /** There is such a child, which does not run. */
  ERR_ALREADY_PRESENT: ChildFacts;
  /** There is such a child, which runs. */
  ERR_ALREADY_STARTED: ChildFacts;
  /** An actor has called itself. */
  ERR_CALLING_SELF: MethodFacts;
  /** The caller's signal was aborted; `cause` is its reason. A pool's task has no `method`. */
  ERR_CALL_ABORTED: ProcessFacts & Partial<MethodFacts>;
  /** Actors that wait for each other: the paths of all, the first one again at the end. */
  ERR_CALL_CYCLE: MethodFacts & { readonly cycle: readonly string[] };
  /** The callee ended before it replied, and why. `method` is absent and `stage` is there for an upgrade. */
  ERR_CALL_EXIT: ProcessFacts & Partial<MethodFacts> & StageFacts & { readonly reason: ExitReason };
  /** No reply within `timeoutMs`. */
  ERR_CALL_TIMEOUT: MethodFacts & { readonly timeoutMs: number };
  /** The servers of the cluster refuse this node's credentials, or do not allow it what a node needs. */
  ERR_CLUSTER_AUTH: Partial<NodeFacts> & { readonly servers?: readonly string[] };
  /** The cluster's server is not there, or lacks what a cluster needs. */
  ERR_CLUSTER_ENGINE: Partial<NodeFacts> & {
    readonly servers?: readonly string[];
    readonly found?: string;
    readonly needed?: string;
    readonly replicas?: number;
  };
  /** A call of a handler, or a pool's task, that answers with a stream, which is read with `stream`. */
  ERR_IS_STREAM: MethodFacts;
  /** `ref.stream` or `pool.stream` of what has returned something else than a stream. */
  ERR_NO_STREAM: MethodFacts;
  /** The process runs with a flag of V8's that leaves each thread less than the cap. */
  ERR_HEAP_CAP_INEFFECTIVE: ProcessFacts & {
    readonly heapCapMb: number;
    readonly flag: string;
    readonly limitMb: number;
  };
  /** The child did not start; `cause` is what `init` threw. Or the new version of an upgrade did not: then with `stage`. */
  ERR_INIT_FAILED: StartFacts;
  /** The child did not start in time, or an upgrade was not done in time. */
  ERR_INIT_TIMEOUT: StartFacts & { readonly timeoutMs?: number };
  /** A child spec has a field that does not exist, or a value that is not allowed. */
  ERR_INVALID_CHILD_SPEC: SpecFacts;
  /** An option or an argument does not exist, or has a value that is not allowed. A TypeError or a RangeError, too. */
  ERR_INVALID_OPTION: OptionFacts;
  /** This node does not own the name, the singleton or the state any more. */
  ERR_LEASE_LOST: { readonly name: string };
  /** The mailbox has no room, with its options; or a pool's queue, then with `maxQueue` and without `method`. */
  ERR_MAILBOX_FULL: ProcessFacts & Partial<MethodFacts> & Partial<MailboxFacts> & { readonly maxQueue?: number };
  /** One child more than `maxChildren`. */
  ERR_MAX_CHILDREN: ChildFacts;
  /** A message, or a pool's task or result, which have no `method`. */
  ERR_MESSAGE_TOO_LARGE: ProcessFacts & Partial<MethodFacts> & { readonly bytes: number; readonly limit: number };
  /** `holder` is the path of what has the name. */
  ERR_NAME_TAKEN: ProcessFacts & { readonly name: string; readonly holder: string };
  /** Another process has joined the cluster as this node: `incarnation` is that process's. */
  ERR_NODE_NAME_TAKEN: NodeFacts & { readonly cluster: string; readonly incarnation: string };
  /** The actor's node is not connected. The message was not handled. Without `method` for a start on that node. */
  ERR_NO_CONNECTION: Partial<MethodFacts> & NodeFacts;
  /**
   * The actor's node has another version of the cluster's protocol, so nothing goes there. The message was not handled.
   */
  ERR_NODE_INCOMPATIBLE: MethodFacts & NodeFacts;
  /** A router by `consistent_hash` was sent a message without `forKey`. */
  ERR_NO_KEY: MethodFacts;
  /** No such actor runs. Without `id` for a remote of comlink's, which names no actor. */
  ERR_NOPROC: Partial<MethodFacts>;
  /** The node does not let the node `by` do this. */
  ERR_NOT_ALLOWED: NodeFacts & { readonly by: string };
  /** The operation is for one actor with a thread of its own, and this is a router, a pool, a light actor or a partition. */
  ERR_NOT_AN_ACTOR: MethodFacts;
  /**
   * `path` leads to the part that cannot be sent, as `args[0].cache`. `id` and `method` are those of the receiver; of a
   * reply that cannot be sent they are the actor's and its handler's, and of a state `id` is the actor's.
   */
  ERR_NOT_CLONEABLE: Partial<MethodFacts> & { readonly path: string };
  /** The supervisor has no such child. */
  ERR_NOT_FOUND: ChildFacts;
  /** The node offers nothing under this name. */
  ERR_NOT_OFFERED: NodeFacts & { readonly offer: string };
  /** The child is being restarted. */
  ERR_RESTARTING: ChildFacts;
  /** The child runs; or a profile or an upgrade of the actor is under way. */
  ERR_RUNNING: ChildFacts;
  /** The system is stopping or has stopped. */
  ERR_SYSTEM_STOPPED: ProcessFacts;
  /** The actor has no such handler, the pool's module no such function; or no actor can have a method of this name. */
  ERR_UNKNOWN_METHOD: Partial<ProcessFacts> & Pick<MethodFacts, "method">;
  /** What was called is for another thread. With `id` where an actor, a router or a pool was meant. */
  ERR_WRONG_THREAD: Partial<ProcessFacts>;
}

/** The names of the facts of all codes, without what every error has: `name`. */
export type FactName = Exclude<{ [C in ActorErrorCode]: keyof FactsByCode[C] }[ActorErrorCode], keyof Error>;

/**
 * Every code an `ActorError` can carry. Stable: branch on these, never on messages. (The compiler lists them where
 * another is given; of `keyof FactsByCode` it says no more.)
 */
export type ActorErrorCode = FactsByCode extends infer Facts ? keyof Facts & string : never;
