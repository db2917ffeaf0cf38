/*
 * Longer than other files, because the options of every kind of child stand here with their comments, from which
 * docs/options.md and the API reference are made.
 */
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Filled, Given } from "@mini-otp/worker-host/protocol/options";
import type { WithTypeof } from "@mini-otp/worker-host/protocol/refs";
import type { ActorArgs, ActorUrl, ArgsFor, RequiredArgs } from "./actor-type.js";
import type { BackoffOptions } from "./backoff.js";
import type { RestartType, Shutdown } from "./child.js";
import type { Exact, IsUnion } from "./exact.js";
import type { NotOfLight } from "./light-options.js";
import type { AutoShutdown, Strategy } from "./restart-strategy.js";
import { readSpec } from "./spec-fields.js";

export type { ActorArgs, ActorOf, ActorUrl, RequiredArgs, RightArgs } from "./actor-type.js";

/** The fields of every child spec. */
export interface ChildOptions {
  /**
   * Unique among its siblings, and part of its path: 1 to 255 characters, not "." or "..", without "/", control
   * characters and lone surrogates.
   */
  id: string;
  /**
   * `"permanent"` (default): always restarted. `"transient"`: restarted unless it ends with `normal` or `shutdown`.
   * `"temporary"`: never restarted, and its spec is deleted when it ends.
   */
  restart?: RestartType | undefined;
  /** How long it may take to stop: ms (default 5 000; supervisors `"infinity"`), `"brutal_kill"`, `"infinity"`. */
  shutdown?: Shutdown | undefined;
  /** When it ends by itself, its supervisor may shut down: see `autoShutdown`. Not allowed with `"permanent"`. */
  significant?: boolean | undefined;
  /** How long to wait before a restart. Without it a child is restarted at once, as in OTP. */
  backoff?: Given<BackoffOptions> | undefined;
}

/** How large an actor's mailbox is, and what it does when it is full. */
export interface MailboxOptions {
  /** How many messages it holds, 1 to 2^30. Default 1 024. */
  capacity: number;
  /** How many bytes its messages may take, 1 to 2^30. Default 1 MiB; rounded up to a power of two, 4 096 at least. */
  capacityBytes: number;
  /** What happens to a message that is sent to a full mailbox. Default `"block"`. */
  overflow: "block" | "reject" | "drop_newest" | "drop_oldest";
  /** How long a sender waits under `"block"`. Default 10 000. */
  blockTimeoutMs: number;
  /** What happens to queued messages when the actor is restarted. Default `"keep"`. */
  onRestart: "keep" | "drop";
}

/** What the actor's thread may do, by Node's permission model. Default: all that main may do. */
export interface Permissions {
  /** Files and folders it may read, beside the modules it is made of; `"*"` for all. Default: none. */
  fsRead?: readonly string[] | undefined;
  /** Files and folders it may write; `"*"` for all. Default: none. */
  fsWrite?: readonly string[] | undefined;
  /** Whether it may use the network, in versions of Node that restrict it. Default `false`. */
  net?: boolean | undefined;
  /** Whether it may start child processes. Default `false`. */
  childProcess?: boolean | undefined;
  /** Whether it may start worker threads. Default `false`. */
  worker?: boolean | undefined;
  /** Whether it may load native addons. Default `false`. */
  addons?: boolean | undefined;
  /** Whether it may use WASI. Default `false`. */
  wasi?: boolean | undefined;
}

/** What an actor can be told in its spec; a router tells it to each of its members. */
export interface ActorSpecOptions<A> extends ChildOptions {
  /** Registered for the whole system: 1 to 255 characters, without lone surrogates. */
  name?: string | undefined;
  /**
   * The module whose default export is the actor; or `comlinkActor(url)`. A relative path is resolved once, when the
   * spec is given, against the working directory of that moment.
   */
  actor: ActorUrl<A> | URL | string;
  /**
   * Copied when the spec is given, and every start gets this copy. The same holds for the variables of `env`, for
   * `execArgv` and `permissions`.
   */
  args?: ActorArgs<A> | undefined;
  /**
   * `"thread"` (default), or `"process"`: its module runs on the main thread of a child process, for native addons that
   * abort and for code that must not share a process. A crash there is the reason `crashed`; messages that were accepted
   * stay. Shared memory and ports cannot be sent to it.
   */
  isolation?: "thread" | "process" | undefined;
  /** How long `init` may take. Default 10 000. */
  startTimeoutMs?: number | undefined;
  /** The cap of its heap: MiB, more than 0 and at most 2^20. Default 64. */
  heapCapMb?: number | undefined;
  /**
   * The cap of its buffers, wasm memory and the like, with the same bounds. Default 64. With `isolation: "process"` the
   * resident memory of the process, native memory included, may be `heapCapMb` and this over what it has at its start.
   */
  offHeapCapMb?: number | undefined;
  /** A handler that takes longer is `unresponsive`. Default 30 000; `Infinity` for no limit. */
  handlerTimeoutMs?: number | undefined;
  /**
   * How long a call of it may take, when the caller does not say: ms from 0 on, or `Infinity`. Default: what
   * `startSystem` was told, else 5 000.
   */
  callTimeoutMs?: number | undefined;
  /** How often a message is delivered at most when the actor crashes while it handles it: 1 to 2^20. Default 1. */
  maxDeliveries?: number | undefined;
  /**
   * What a handler, or `info`, does that throws something else than a `ReplyError`. `"crash"`: the actor crashes.
   * `"reply"`: a call fails with what was thrown; where no call waits it is logged as an error; the actor lives.
   * Default: what `defineActor` was told, else `"crash"`.
   */
  throws?: "crash" | "reply" | undefined;
  /** The bounds of its mailbox, and what happens at them. */
  mailbox?: Given<MailboxOptions> | undefined;
  /**
   * Where the actor's `console` writes to. `"inherit"` (default): the process's own streams, as in any Node worker,
   * which loses the last lines of a thread that ends. `"log"`: the system's logger, one line for each call, as from
   * `ctx.log`.
   */
  console?: "inherit" | "log" | undefined;
  /**
   * The whole of its `process.env`. `"none"` (default): empty. `"inherit"`: a copy of main's, made at each start of a
   * thread. Else these variables.
   */
  env?: "inherit" | "none" | Readonly<Record<string, string | undefined>> | undefined;
  /** Node's flags for its thread, after those of main and of `permissions`. Default: none. */
  execArgv?: readonly string[] | undefined;
  /** What the thread may do, by Node's permission model. Default: what main may. */
  permissions?: Permissions | undefined;
}

/** An actor in a thread of its own. */
export interface ActorSpec<A = unknown> extends ActorSpecOptions<A> {
  /** Says that this is an actor's spec. */
  kind?: "actor" | undefined;
}

/**
 * One reference in front of `size` actors, which are supervised one_for_one. The fields of an actor's spec apply to
 * each member, except `name`, which is the router's name. The router itself is permanent, as supervisors are.
 * `shutdown` limits the stop of each member, and the stop of all members together.
 */
export interface RouterSpec<A = unknown> extends ActorSpecOptions<A> {
  /** Says that this is a router's spec; `router(…)` fills it in. */
  kind: "router";
  /** Members to start with, 1 to 1 024. `resize` changes it. */
  size: number;
  /**
   * Chooses the member for a message: each in turn, the one with the fewest messages, or by the key given to `forKey`.
   */
  route: "round_robin" | "least_loaded" | "consistent_hash";
  /** Restarts of members allowed within `periodMs`, 0 to 1 000 000. Default 3. */
  intensity?: number | undefined;
  /** The time that `intensity` is counted in. Default 5 000. */
  periodMs?: number | undefined;
}

/** When a pool replaces a thread, between two tasks. */
export interface RecycleOptions {
  /** After so many tasks, 1 to 2^31 - 1. */
  readonly afterTasks?: number | undefined;
  /** When it is so old. */
  readonly afterMs?: number | undefined;
  /**
   * When its memory after a task is over this: its heap and buffers, garbage that is not collected yet included. It is
   * measured once in a millisecond at most. Below `heapCapMb` and `offHeapCapMb`, which end a task.
   */
  readonly overMb?: number | undefined;
}

/** A supervised pool of threads for plain functions. `F` is the type of the module's default export. */
export interface PoolSpec<F extends (task: any) => unknown = (task: any) => any> extends ChildOptions {
  /** Says that this is a pool's spec; `pool(…)` fills it in. */
  kind: "pool";
  /** The module whose functions are run: its default export, or what `run` names. */
  filename: URL | string;
  /**
   * `"thread"` (default), or `"process"`: each of its threads is a child process, for native addons that abort and for
   * code that must not share a process. A crash there is the reason `crashed`. What a process cannot have is refused:
   * shared memory in tasks, results and `workerData`, and ports.
   */
  isolation?: "thread" | "process" | undefined;
  /** Threads that are kept, 0 to 1 024. Default 1. */
  minThreads?: number | undefined;
  /** Threads at most, 1 to 1 024. Default: as many as the machine runs at a time. */
  maxThreads?: number | undefined;
  /** A thread beyond `minThreads` ends when it has had no task for this long. Default 10 000. */
  idleTimeoutMs?: number | undefined;
  /** Tasks that may wait for a thread, 0 to 2^24. Default 1 024. */
  maxQueue?: number | undefined;
  /** Tasks that a thread runs at a time, 1 to 1 024. Default 1. With more, a thread that ends takes all of its tasks along. */
  concurrentTasksPerWorker?: number | undefined;
  /** A task that takes longer is `unresponsive`. Default: 30 000, or `Infinity` with `concurrentTasksPerWorker` over 1. */
  taskTimeoutMs?: number | undefined;
  /**
   * When a thread is replaced between two tasks: one at a time, by its own exit, so that its exit handlers run. That is
   * no crash. Default: never.
   */
  recycle?: RecycleOptions | undefined;
  /** The cap of each thread's heap, in MiB. Default 64. */
  heapCapMb?: number | undefined;
  /**
   * The cap of each thread's buffers, wasm memory and the like, in MiB. Default 64. With `isolation: "process"` the resident
   * memory of a process, native memory included, may be `heapCapMb` and this over what it has at its start.
   */
  offHeapCapMb?: number | undefined;
  /** How long the first thread may take to load the module. Default 10 000. */
  startTimeoutMs?: number | undefined;
  /** `workerData` of each thread. Structured cloned when the spec is given. */
  workerData?: unknown | undefined;
  /**
   * The whole of the threads' `process.env`. `"none"` (default): empty. `"inherit"`: a copy of main's, made at each
   * start of a thread. Else these variables.
   */
  env?: "inherit" | "none" | Readonly<Record<string, string | undefined>> | undefined;
  /** Node's flags for the threads, after those of main. Default: none. */
  execArgv?: readonly string[] | undefined;
  /** Exists only as a type. @internal */
  readonly function?: F | undefined;
}

/** The argument of a resource's `start`, by which it reports to its supervisor. */
export interface ResourceContext {
  /** Path from the root. */
  readonly id: string;
  /** Counts the starts: 1, 2, … */
  readonly incarnation: number;
  /** Aborted when the resource has to stop or its start is given up. `signal.reason` is the exit reason. */
  readonly signal: AbortSignal;
  /**
   * Reports that the resource has failed with this error: a server's `"error"`, a lost connection. Its `stop` is
   * called, then it ends with `error`, and its spec decides whether it is restarted. If it has not started yet, the
   * start fails. While it is stopping this does nothing.
   */
  fail(error: unknown): void;
  /** Reports that the resource has done its work. As `fail`, but it ends with `normal`. */
  finish(): void;
}

/**
 * Anything on main with a lifetime: a server, a socket. Its reference is the value that `start` returned while it runs,
 * and undefined otherwise. Main cannot kill code that runs on main. So a `stop` that takes longer than `shutdown` is
 * left behind, and with `"brutal_kill"` it is called but not waited for.
 */
export interface ResourceSpec<T = unknown> extends ChildOptions {
  /** Says that this is a resource's spec; `resource(…)` fills it in. */
  kind: "resource";
  /** Starts it. It has started when this returns, or its promise resolves. */
  start(context: ResourceContext): T | Promise<T>;
  /** Stops it: gets what `start` returned. It has ended when this returns, or its promise resolves. */
  stop(resource: T, reason: ExitReason): unknown;
  /** How long `start` may take. Default 10 000. A value that comes later is passed to `stop` when it comes. */
  startTimeoutMs?: number | undefined;
}

/** What every supervisor's spec has. */
export interface SupervisorOptions extends ChildOptions {
  /** Restarts allowed within `periodMs`, 0 to 1 000 000. Default 3. */
  intensity?: number | undefined;
  /** The time that `intensity` is counted in. Default 5 000. */
  periodMs?: number | undefined;
}

/** A supervisor with children that are declared; more can be started later. `C` are the types of their specs. */
export interface SupervisorSpec<C extends readonly ChildSpec[] = readonly ChildSpec[]> extends SupervisorOptions {
  /** Says that this is a supervisor's spec; `supervisor(…)` fills it in. */
  kind: "supervisor";
  /** Which children are restarted when one has ended. Default `"one_for_one"`. */
  strategy?: Strategy | undefined;
  /** Whether it ends when one, or all, of its significant children have ended by themselves. Default `"never"`. */
  autoShutdown?: AutoShutdown | undefined;
  /** Its children, in start order. */
  children?: C | undefined;
}

/**
 * One_for_one, for children that come and go. The supervisor forgets a child that has ended, and stops all children at
 * once.
 */
export interface DynamicSupervisorSpec<T extends Partial<ActorSpec> = Partial<ActorSpec>> extends SupervisorOptions {
  /** Says that this is a dynamic supervisor's spec; `dynamicSupervisor(…)` fills it in. */
  kind: "dynamic_supervisor";
  /** How many children it may have, 0 to 2^20, or `Infinity`. Default: no limit. */
  maxChildren?: number | undefined;
  /** Defaults for the specs that are given to `startChild`. */
  template?: T | undefined;
  /**
   * Its children are light actors: many share one isolated thread, a partition. They are temporary unless their spec or
   * the template says otherwise; then each may be restarted `intensity` times within `periodMs`. Default: each child has
   * a thread of its own.
   */
  threads?: ThreadsOptions | undefined;
  /** With `threads`: light actors of which there is one in each partition, started before the others. */
  perThread?: readonly Partial<ActorSpec>[] | undefined;
}

/** The threads that the children of a dynamic supervisor share. */
export interface ThreadsOptions {
  /** How many partitions, 1 to 64. Each is a thread with a heap of its own, which ends alone. Default 1. */
  count?: number | undefined;
  /** The cap of each partition's heap: MiB, more than 0 and at most 2^20. Default 256. */
  heapCapMb?: number | undefined;
  /** The cap of each partition's buffers, with the same bounds. Default 128. */
  offHeapCapMb?: number | undefined;
  /**
   * Where a child is started: in the partition with the fewest children (default), by its id, or each in turn. With
   * `"hash"`, `refOf(id)` tells where it is without asking.
   */
  place?: "least_loaded" | "hash" | "round_robin" | undefined;
  /** Bytes of messages that may wait in one partition, 4 096 to 2^30. From then on all its mailboxes count as full. Default 32 MiB. */
  queueBytes?: number | undefined;
}

/** What a supervisor can supervise. */
export type ChildSpec = ActorSpec | RouterSpec | PoolSpec | ResourceSpec | SupervisorSpec | DynamicSupervisorSpec;

/** `S` without options that do not exist, and with the arguments that its actor asks for. Of several kinds, any. */
export type ExactSpec<S> =
  true extends IsUnion<S>
    ? unknown
    : S extends { readonly kind: "router" }
      ? Exact<S, RouterSpec> & ArgsFor<S>
      : S extends { readonly kind: "pool" }
        ? Exact<S, PoolSpec>
        : S extends { readonly kind: "resource" }
          ? Exact<S, ResourceSpec>
          : S extends { readonly kind: "supervisor" }
            ? Exact<S, SupervisorSpec>
            : S extends { readonly kind: "dynamic_supervisor" }
              ? Exact<S, DynamicSupervisorSpec>
              : Exact<S, ActorSpec> & ArgsFor<S>;

/** The same of each child in a list. */
export type ExactChildren<C> = { [I in keyof C]: ExactSpec<C[I]> };

/** `S` with defaults filled in for the common fields and for `K`. */
type Full<S, K extends keyof S> = Omit<S, keyof ChildOptions | K> &
  Filled<Pick<S, K>> & {
    readonly id: string;
    readonly restart: RestartType;
    readonly shutdown: Shutdown;
    readonly significant: boolean;
    readonly backoff: BackoffOptions;
  };
type ActorLimits =
  | "kind"
  | "isolation"
  | "console"
  | "startTimeoutMs"
  | "heapCapMb"
  | "offHeapCapMb"
  | "handlerTimeoutMs"
  | "maxDeliveries";
interface WithMailbox {
  readonly mailbox: MailboxOptions;
}
interface WithChildren {
  readonly children: readonly FullChildSpec[];
}

/** `router`: of a member, the name of its router, where that has one. */
export type FullActorSpec = Omit<Full<ActorSpec, ActorLimits>, "mailbox"> &
  WithMailbox & { readonly router?: string | undefined };
export type FullRouterSpec = Omit<Full<RouterSpec, ActorLimits | "intensity" | "periodMs">, "mailbox"> &
  WithMailbox & { readonly memberRestart: RestartType; readonly memberBackoff: BackoffOptions };
type PoolLimits =
  | "isolation"
  | "minThreads"
  | "maxThreads"
  | "idleTimeoutMs"
  | "maxQueue"
  | "concurrentTasksPerWorker"
  | "taskTimeoutMs"
  | "heapCapMb"
  | "offHeapCapMb"
  | "startTimeoutMs";
export type FullPoolSpec = Full<PoolSpec, PoolLimits>;
export type FullResourceSpec = Full<ResourceSpec, "startTimeoutMs">;
export type FullDynamicSupervisorSpec = Omit<
  Full<DynamicSupervisorSpec, "intensity" | "periodMs" | "maxChildren">,
  "threads" | "perThread"
> & { readonly threads?: undefined };
/** A dynamic supervisor whose children share threads. */
export type FullPartitionedSpec = Omit<
  Full<DynamicSupervisorSpec, "intensity" | "periodMs" | "maxChildren">,
  "threads" | "perThread"
> & { readonly threads: Filled<ThreadsOptions>; readonly perThread: readonly FullMemberSpec[] };

/** A light actor's spec, with every default filled in. */
export interface FullMemberSpec {
  readonly id: string;
  readonly actor: URL;
  readonly args: unknown;
  readonly handlerTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly throws: "crash" | "reply" | undefined;
  readonly restart: RestartType;
  readonly mailbox: MailboxOptions;
}
export type FullSupervisorSpec = Omit<
  Full<SupervisorSpec, "intensity" | "periodMs" | "strategy" | "autoShutdown">,
  "children"
> &
  WithChildren;

/** A spec that has been checked and has every default filled in. */
export type FullChildSpec =
  | FullActorSpec
  | FullRouterSpec
  | FullPoolSpec
  | FullResourceSpec
  | FullSupervisorSpec
  | FullDynamicSupervisorSpec
  | FullPartitionedSpec;

/** A nested supervisor with children of its own. */
export function supervisor<
  const C extends readonly ChildSpec[] = readonly ChildSpec[],
  const I extends string = string,
>(
  spec: Omit<SupervisorSpec, "kind" | "children"> & {
    readonly id: I;
    readonly children?: (C & ExactChildren<C>) | undefined;
  },
): SupervisorSpec<C> & { readonly id: I } {
  return ofKind("supervisor", spec) as SupervisorSpec<C> & { readonly id: I };
}

/** `T`, and nothing of a template with options that do not exist: `dynamicSupervisor` refuses those, once. */
export type TemplateOf<T extends Partial<ActorSpec>> = [Exclude<keyof T, keyof ActorSpec>] extends [never]
  ? T
  : Record<never, never>;

/** Shown by the compiler in the place of an option that has a meaning beside another one only. */
export interface OnlyWith<Other extends string> {
  readonly "this option needs another one": Other;
}

/** Shown by the compiler in the place of an option that has no meaning beside another one. */
export interface NotWith<Other extends string> {
  readonly "this option cannot be beside another one": Other;
}

/** With threads: what of the template `T` light actors do not have. */
export type SharingThreads<T, Threads> = [Threads] extends [ThreadsOptions]
  ? { readonly [K in keyof T & NotOfLight]?: undefined extends T[K] ? unknown : NotWith<"threads"> }
  : unknown;

/**
 * A supervisor for children that are started and stopped as needed. With `threads` they are light actors: many share an
 * isolated thread.
 */
export function dynamicSupervisor<
  const T extends Partial<ActorSpec> = Record<never, never>,
  const I extends string = string,
  const Threads extends ThreadsOptions | undefined = undefined,
>(
  spec: Omit<DynamicSupervisorSpec, "kind" | "template" | "threads" | "perThread"> & {
    readonly id: I;
    readonly template?: (T & Exact<T, ActorSpec> & SharingThreads<T, Threads>) | undefined;
    readonly threads?: (Threads & Exact<Threads, ThreadsOptions>) | undefined;
    readonly perThread?: [Threads] extends [ThreadsOptions]
      ? DynamicSupervisorSpec["perThread"]
      : OnlyWith<"threads"> | undefined;
  },
): DynamicSupervisorSpec<TemplateOf<T>> & { readonly id: I } & ([Threads] extends [ThreadsOptions]
    ? { readonly threads: ThreadsOptions }
    : unknown) {
  return ofKind("dynamic_supervisor", spec as object) as never;
}

/** One reference in front of `size` actors of the same kind. */
export function router<A = unknown, const I extends string = string>(
  spec: Omit<RouterSpec<A>, "kind"> & { readonly id: I } & RequiredArgs<A> &
    WithTypeof<NoInfer<A>, "router<typeof X>(spec)">,
): RouterSpec<A> & { readonly id: I } {
  return ofKind("router", spec) as RouterSpec<A> & { readonly id: I };
}

/** A supervised pool of worker threads for plain functions. */
export function pool<F extends (task: any) => unknown = (task: any) => any, const I extends string = string>(
  spec: Omit<PoolSpec<F>, "kind" | "function"> & { readonly id: I },
): PoolSpec<F> & { readonly id: I } {
  return ofKind("pool", spec);
}

/** Something on main that is started and stopped in its place in the order: a server, a socket. */
export function resource<T, const I extends string = string>(
  spec: Omit<ResourceSpec<T>, "kind"> & { readonly id: I },
): ResourceSpec<T> & { readonly id: I } {
  return ofKind("resource", spec);
}

/** The fields are checked when the child is started. Throws ERR_INVALID_CHILD_SPEC when `spec` is not an object. */
function ofKind<K extends ChildSpec["kind"], S extends object>(kind: K, spec: S): S & { kind: K } {
  return { ...readSpec(spec, `${kind}(…)`), kind };
}
