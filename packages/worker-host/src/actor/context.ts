import type { ExitReason } from "../protocol/errors/exit-reason.js";
import type { ActorRef, RefOf } from "../protocol/refs/actor-ref.js";
import type { DeferredBrand } from "../protocol/refs/actor-types.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";
import type { RouterRef } from "../protocol/refs/router-ref.js";
import type { ActorChildSpec, PoolChildSpec, RouterChildSpec } from "./child-spec.js";
import type { Emitter, SpawnSpec } from "./light-context.js";

/** The options of `log.child`. */
export interface ActorLogOptions {
  /** The lowest level that this logger takes. Lines below the level of main's logger are dropped in any case. */
  level?: string | undefined;
  /** By key. They run in the actor's thread, on bindings and on the fields of a line. */
  serializers?: Record<string, (value: any) => unknown> | undefined;
  /** Text in front of every message. */
  msgPrefix?: string | undefined;
}

/**
 * A logger of pino's shape: `log.info({ batch: 3 }, "parsed")`, `log.error(error)` or `log.info("parsed %s", name)`.
 * Lines appear in main's logger with `actor`, `incarnation` and `thread`, and pass its redaction and serializers. A
 * crash or a kill loses no line that was logged before it. A level that main's logger does not take costs one
 * comparison. Nothing here blocks or throws, however much the actor logs: lines that main cannot keep up with are
 * dropped and counted.
 */
export interface ActorLog {
  trace(...args: unknown[]): void;
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
  fatal(...args: unknown[]): void;
  silent(...args: unknown[]): void;
  /** A logger whose lines carry these fields too. Throws RangeError for a level that does not exist. */
  child(bindings: Record<string, unknown>, options?: ActorLogOptions): ActorLog;
  bindings(): Record<string, unknown>;
  setBindings(bindings: Record<string, unknown>): void;
  isLevelEnabled(level: string): boolean;
  /** The lowest level that is logged. It may be set above the level of main's logger. */
  level: string;
  /** Calls `done` and does nothing else, because a logged line is already on its way. */
  flush(done?: () => void): void;
}

/**
 * The reply to a call whose handler returns before the reply is known. The first use of `reply` or `fail` counts; any
 * further use has no effect. A handler that returns this gives its callers the type `T` for the reply.
 */
export interface DeferredReply<T = any> extends DeferredBrand<T> {
  reply(...value: undefined extends T ? [value?: T] : [value: T]): void;
  /** Rejects the call with this error. The actor lives on. */
  fail(error: Error): void;
}

/**
 * The runtime as an actor's code sees it. It is the same object for every message; the actor may replace `state`.
 * `Method` are the names of the actor's handlers.
 */
export interface ActorContext<State = unknown, Method extends string = string> {
  state: State;
  /** A reference to this actor, to send to others. */
  readonly self: ActorRef;
  /** The path from the root, for example `root/ingest/hasher`. */
  readonly id: string;
  /** The name that the spec registers, if it has one. */
  readonly name: string | undefined;
  /** 1 for the first start, one more for each restart. */
  readonly incarnation: number;
  /** The spec's `args`. */
  readonly args: any;
  readonly log: ActorLog;
  /** Aborts when the caller of the current call gives it up, and when the actor is asked to stop. */
  readonly signal: AbortSignal;
  /**
   * The actor or the router registered under `name`, or undefined; `whereis<typeof X>(name)` with the actor's type.
   * Blocks this thread until main answers.
   */
  whereis<T = any>(name: string): RefOf<NoInfer<T>> | undefined;
  /**
   * Starts a child of this actor's own: an actor, a router or a pool, whose path is below this actor's. It is supervised
   * as by a dynamic supervisor: restarted by its `restart`, 3 times in 5 s at most, after which this actor ends too; and
   * forgotten when it has ended and is not restarted. It ends before this actor does: when that is stopped, after its
   * messages; when it crashes, before it is restarted, with none of its children. `startChild<typeof X>(spec)` with the
   * child's type; without `id` it gets one. The spec is a message value, but for the URL of its module.
   *
   * Rejects with the codes of a supervisor's `startChild`, with ERR_NOT_CLONEABLE for a spec that no message can carry,
   * and with ERR_NOPROC while this actor ends.
   */
  // TypeScript up to 5.9 explains every overload that it has tried, but of more than three only the last, which is right
  // here: so the pools have two.
  startChild(spec: PoolChildSpec): Promise<PoolRef>;
  startChild<F extends (task: any) => unknown>(spec: PoolChildSpec): Promise<PoolRef<F>>;
  startChild<A = any>(spec: RouterChildSpec<NoInfer<A>>): Promise<RouterRef<A>>;
  startChild<A = any>(spec: ActorChildSpec<NoInfer<A>>): Promise<ActorRef<A>>;
  /**
   * Sends `{ type: "DOWN", monitor, id, ref, reason }` to this actor's `info` once, when the current incarnation of
   * that actor has ended; with reason `noproc` when none runs. Returns the id of the monitor. Monitors stack. A router
   * is monitored as a whole, and lives on while its members are restarted; a reference by key means its current member.
   */
  monitor(ref: ActorRef | PoolRef): number;
  /** Takes the monitor off: its DOWN is not delivered any more, even if it is already on its way. */
  demonitor(monitor: number): void;
  /**
   * Links the two actors: when one ends with another reason than `normal`, the other ends too. If that one traps exits,
   * its `info` gets `{ type: "EXIT", id, ref, reason }` instead.
   */
  link(ref: ActorRef | PoolRef): void;
  unlink(ref: ActorRef | PoolRef): void;
  /** With `true`, exit signals become messages to `info` and do not end this actor. */
  trapExit(trap: boolean): void;
  /** Sends an exit signal to another actor, or to every member of a router. `"kill"` cannot be trapped. */
  exit(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): void;
  /** Sends `method` to this actor in `delayMs`; it is handled between two messages. Returns the timer's id. */
  sendAfter(delayMs: number, method: Method, ...args: unknown[]): number;
  /** Sends `method` to this actor every `periodMs`. A missed period is skipped. Returns the timer's id. */
  sendInterval(periodMs: number, method: Method, ...args: unknown[]): number;
  /** True when the timer had still to fire. */
  cancelTimer(id: number): boolean;
  /**
   * From now on the returned object replies to the current call, not the handler's result. Throws TypeError outside of
   * a call.
   */
  deferReply<T = any>(): DeferredReply<T>;
  /** Stops this actor after the current message. The default reason is `normal`. It does not drain the mailbox. */
  stop(reason?: ExitReason): void;
  /** Handles `method` right after the current message, before any other. */
  continueWith(method: Method, ...args: unknown[]): void;
  /**
   * Of an actor that shares its thread, see `dynamicSupervisor({ threads })`: starts a sibling in this thread. Returns
   * at once; its `init` runs before its messages, and one that fails is an exit. `hand` is an object for the new actor
   * itself, as `ctx.handed`, and not a copy. Throws ERR_WRONG_THREAD in an actor with a thread of its own.
   */
  spawn<T = any>(spec?: SpawnSpec, options?: { readonly hand?: unknown }): RefOf<NoInfer<T>>;
  /** What `spawn` was told to hand over; undefined for any other actor. */
  readonly handed: any;
  /**
   * Of an actor that shares its thread: calls `dispose` when this life ends, however it ends, as long as the thread
   * lives. Returns `thing`. Throws ERR_WRONG_THREAD in an actor with a thread of its own, which ends with all it has.
   */
  own<T>(thing: T, dispose: (thing: T) => void): T;
  /**
   * Of an actor that shares its thread: each such event becomes a message of this actor, handled in its turn. The
   * arguments are not copied; events that find the mailbox full are dropped and counted. Returns the function that
   * takes the listener off, which the end of this life does too. Throws ERR_WRONG_THREAD in an actor with a thread of
   * its own.
   */
  on(emitter: Emitter, event: string | symbol, method: Method): () => void;
  /** As `whereis`, without blocking the thread. */
  lookup<T = any>(name: string): Promise<RefOf<NoInfer<T>> | undefined>;
}
