import type { ActorDefinition } from "@mini-otp/worker-host";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Cloneable } from "@mini-otp/worker-host/protocol/refs";
import type { BackoffOptions } from "./backoff.js";
import type { RestartType, Shutdown } from "./child.js";
import type { AutoShutdown, Strategy } from "./restart-strategy.js";
import { readSpec } from "./spec-fields.js";

/** What every child spec has. */
interface Supervised {
  /**
   * Unique among its siblings, and part of its path: 1 to 255 characters, not "." or "..", without "/", control
   * characters and lone surrogates.
   */
  id: string;
  /**
   * `"permanent"` (default): always restarted. `"transient"`: unless it ends with `normal` or `shutdown`.
   * `"temporary"`: never, and its spec is deleted.
   */
  restart?: RestartType;
  /** How long it may take to stop: ms (default 5 000; supervisors `"infinity"`), `"brutal_kill"`, `"infinity"`. */
  shutdown?: Shutdown;
  /** Its own end can shut its supervisor down: see `autoShutdown`. Not with `"permanent"`. */
  significant?: boolean;
  backoff?: Partial<BackoffOptions>;
}

export interface MailboxOptions {
  /** Messages, 1 to 2^30. Default 1 024. */
  capacity: number;
  /** 1 to 2^30. Default 1 MiB; rounded up to a power of two, 4 096 at least. */
  capacityBytes: number;
  /** What a full mailbox does to senders. Default `"block"`. */
  overflow: "block" | "reject" | "drop_newest" | "drop_oldest";
  /** How long a sender waits under `"block"`. Default 10 000. */
  blockTimeoutMs: number;
  /** What happens to queued messages when the actor is restarted. Default `"keep"`. */
  onRestart: "keep" | "drop";
}

/** What the actor's thread may do, as Node's permission model has it. Without it: what main may. */
export interface Permissions {
  fsRead?: readonly string[];
  fsWrite?: readonly string[];
  net?: boolean;
  childProcess?: boolean;
  worker?: boolean;
  addons?: boolean;
  wasi?: boolean;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The argument that an actor's `init` takes; `A` is the type of its definition. */
export type ActorArgs<A> =
  IsAny<A> extends true
    ? any
    : A extends ActorDefinition<any, infer Args, any>
      ? [Args] extends [undefined]
        ? unknown
        : Cloneable<Args>
      : unknown;

/** An actor whose `init` asks for arguments is not started without. */
export type RequiredArgs<A> = undefined extends ActorArgs<A> ? unknown : { args: ActorArgs<A> };

/** The actor that a spec is for, as far as its type says. */
export type ActorOf<S> = S extends ActorSpec<infer A> ? (unknown extends A ? any : A) : any;

declare const ACTOR_TYPE: unique symbol;

/** A module's URL that knows its actor's type. */
export interface ActorUrl<A> extends URL {
  readonly [ACTOR_TYPE]?: A;
}

interface ActorOptions<A> extends Supervised {
  /** Registered for the whole system: 1 to 255 characters, without lone surrogates. */
  name?: string;
  /**
   * The module whose default export is the actor; or `comlinkActor(url)`. A relative path is relative to the working
   * directory at the time the spec is given, for every start to come.
   */
  actor: ActorUrl<A> | URL | string;
  /** Copied when the spec is given, for every start to come; so are `env`, `execArgv` and `permissions`. */
  args?: ActorArgs<A>;
  /** How long `init` may take. Default 10 000. */
  startTimeoutMs?: number;
  /** MiB, more than 0 and at most 2^20. Default 64. */
  heapCapMb?: number;
  /** Buffers, wasm memory and the like, with the same bounds. Default 64. */
  offHeapCapMb?: number;
  /** A handler that takes longer is `unresponsive`. Default 30 000; `Infinity` for no limit. */
  handlerTimeoutMs?: number;
  /** How often a message may be handled, when the actor crashes over it: 1 to 2^20. Default 1. */
  maxDeliveries?: number;
  mailbox?: Partial<MailboxOptions>;
  /**
   * Where `console` in the actor writes to: `"inherit"` (default), the process's own streams by Node's way, which loses
   * the last lines of a thread that ends; or `"log"`, the system's logger, each call a line as from `ctx.log`.
   */
  console?: "inherit" | "log";
  env?: Readonly<Record<string, string | undefined>>;
  execArgv?: readonly string[];
  permissions?: Permissions;
}

/** An actor in a thread of its own. */
export interface ActorSpec<A = unknown> extends ActorOptions<A> {
  kind?: "actor";
}

/**
 * One reference in front of `size` actors, which are supervised one_for_one. What an actor's spec can say is said of
 * each member, but for `name`, which is the router's. The router itself is permanent, as supervisors are; `shutdown`
 * holds for a member, and for all of them together.
 */
export interface RouterSpec<A = unknown> extends ActorOptions<A> {
  kind: "router";
  /** Members to start with, 1 to 1 024. `resize` changes it. */
  size: number;
  /** Which member a message goes to: each in turn, the one with the fewest messages, or by `forKey`. */
  route: "round_robin" | "least_loaded" | "consistent_hash";
  /** Restarts of members allowed within `periodMs`, 0 to 1 000 000. Default 3. */
  intensity?: number;
  /** Default 5 000. */
  periodMs?: number;
}

/** A supervised pool of threads for plain functions. `F` is the type of the module's default export. */
export interface PoolSpec<F extends (task: any) => unknown = (task: any) => any> extends Supervised {
  kind: "pool";
  /** The module whose functions are run: its default export, or what `run` names. */
  filename: URL | string;
  /** Threads that are kept, 0 to 1 024. Default 1. */
  minThreads?: number;
  /** 1 to 1 024. Default: as many as the machine runs at a time. */
  maxThreads?: number;
  /** A thread over `minThreads` that has had no task for so long is ended. Default 10 000. */
  idleTimeoutMs?: number;
  /** Tasks that may wait for a thread, 0 to 2^24. Default 1 024. */
  maxQueue?: number;
  /** 1 to 1 024. Default 1. With more, tasks whose thread ends take each other along. */
  concurrentTasksPerWorker?: number;
  /** A task that takes longer is `unresponsive`. Default 30 000, with `concurrentTasksPerWorker` over 1 `Infinity`. */
  taskTimeoutMs?: number;
  /** Of each thread. Default 64. */
  heapCapMb?: number;
  /** Of each thread. Default 64. */
  offHeapCapMb?: number;
  /** How long the first thread may take to load the module. Default 10 000. */
  startTimeoutMs?: number;
  /** As the threads get it; structured cloned when the spec is given. */
  workerData?: unknown;
  env?: Readonly<Record<string, string | undefined>>;
  execArgv?: readonly string[];
  /** Only a type. @internal */
  readonly function?: F;
}

/** What a resource's `start` gets: its side of being supervised. */
export interface ResourceContext {
  /** Path from the root. */
  readonly id: string;
  /** 1, 2, …: counts its starts. */
  readonly incarnation: number;
  /** Aborted when it is to stop, or its start is given up; `signal.reason` is the exit reason. */
  readonly signal: AbortSignal;
  /**
   * It has failed by itself, with this error: a server's `"error"`, a connection that was lost. Its `stop` is called,
   * then it has ended with `error`, and is restarted as its spec says. Before it has started, its start fails. Once
   * it is stopping this does nothing.
   */
  fail(error: unknown): void;
  /** It has ended by itself because its work is done. As `fail`, but it ends with `normal`. */
  finish(): void;
}

/**
 * Anything on main with a lifetime: a server, a socket. Its reference is what `start` returned, for as long as it
 * runs, and undefined otherwise. Main cannot kill what runs on main: a `stop` that takes longer than `shutdown` is
 * left behind, and with `"brutal_kill"` it is called but not waited for.
 */
export interface ResourceSpec<T = unknown> extends Supervised {
  kind: "resource";
  /** It has started when this returns, or its promise resolves. */
  start(context: ResourceContext): T | Promise<T>;
  /** Gets what `start` returned. It has ended when this returns, or its promise resolves. */
  stop(resource: T, reason: ExitReason): unknown;
  /** How long `start` may take. Default 10 000. What comes later is stopped when it comes. */
  startTimeoutMs?: number;
}

interface SupervisorOptions extends Supervised {
  /** Restarts allowed within `periodMs`, 0 to 1 000 000. Default 3. */
  intensity?: number;
  /** Default 5 000. */
  periodMs?: number;
}

export interface SupervisorSpec extends SupervisorOptions {
  kind: "supervisor";
  /** Default `"one_for_one"`. */
  strategy?: Strategy;
  /** Default `"never"`. */
  autoShutdown?: AutoShutdown;
  /** In start order. */
  children?: readonly ChildSpec[];
}

/** One_for_one, for children that come and go: one that has ended is forgotten, and all are stopped at once. */
export interface DynamicSupervisorSpec extends SupervisorOptions {
  kind: "dynamic_supervisor";
  /** 0 to 2^20, or Infinity. Default: no limit. */
  maxChildren?: number;
  /** What `startChild` need not say. */
  template?: Partial<ActorSpec>;
}

export type ChildSpec = ActorSpec | RouterSpec | PoolSpec | ResourceSpec | SupervisorSpec | DynamicSupervisorSpec;

/** `S` with its defaults filled in: those every spec has, and `K`. */
type Full<S, K extends keyof S> = Omit<S, keyof Supervised | K> &
  Required<Pick<S, K>> & {
    readonly id: string;
    readonly restart: RestartType;
    readonly shutdown: Shutdown;
    readonly significant: boolean;
    readonly backoff: BackoffOptions;
  };
type ActorLimits =
  | "kind"
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

export type FullActorSpec = Omit<Full<ActorSpec, ActorLimits>, "mailbox"> & WithMailbox;
export type FullRouterSpec = Omit<Full<RouterSpec, ActorLimits | "intensity" | "periodMs">, "mailbox"> &
  WithMailbox & { readonly memberRestart: RestartType; readonly memberBackoff: BackoffOptions };
type PoolLimits =
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
export type FullDynamicSupervisorSpec = Full<DynamicSupervisorSpec, "intensity" | "periodMs" | "maxChildren">;
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
  | FullDynamicSupervisorSpec;

/** A nested supervisor with children of its own. */
export function supervisor(spec: Omit<SupervisorSpec, "kind">): SupervisorSpec {
  return ofKind("supervisor", spec);
}

/** A supervisor for children that are started and stopped as needed. */
export function dynamicSupervisor(spec: Omit<DynamicSupervisorSpec, "kind">): DynamicSupervisorSpec {
  return ofKind("dynamic_supervisor", spec);
}

/** One reference in front of `size` actors of the same kind. */
export function router<A = unknown>(spec: Omit<RouterSpec<A>, "kind">): RouterSpec<A> {
  return ofKind("router", spec);
}

/** A supervised pool of worker threads for plain functions. */
export function pool<F extends (task: any) => unknown = (task: any) => any>(
  spec: Omit<PoolSpec<F>, "kind" | "function">,
): PoolSpec<F> {
  return ofKind("pool", spec);
}

/** Something on main that is started and stopped in its place in the order: a server, a socket. */
export function resource<T>(spec: Omit<ResourceSpec<T>, "kind">): ResourceSpec<T> {
  return ofKind("resource", spec);
}

/** What is in it is checked when it is started. Throws ERR_INVALID_CHILD_SPEC for what is no object. */
function ofKind<K extends ChildSpec["kind"], S extends object>(kind: K, spec: S): S & { kind: K } {
  return { ...readSpec(spec, `${kind}(…)`), kind };
}
