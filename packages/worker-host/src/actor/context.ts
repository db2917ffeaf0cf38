import type { ExitReason } from "../protocol/errors/exit-reason.js";
import type { ActorRef, RefOf } from "../protocol/refs/actor-ref.js";
import type { DeferredBrand } from "../protocol/refs/actor-types.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";

/** What `child` takes beside the bindings. */
export interface ActorLogOptions {
  /** The lowest level this logger takes. What is below main's level is dropped all the same. */
  level?: string;
  /** By key, applied in the actor's thread to bindings and to the fields of a line. */
  serializers?: Record<string, (value: any) => unknown>;
  /** Comes before every message. */
  msgPrefix?: string;
}

/**
 * A logger of pino's shape: `log.info({ batch: 3 }, "parsed")`, `log.error(error)` or `log.info("parsed %s", name)`.
 * Lines appear in main's logger with `actor`, `incarnation` and `thread`, and pass its redaction and serializers. They
 * travel by the thread's own way to main, which a crash or a kill does not cut: what was logged before is there. A
 * level that main's logger does not take costs a comparison. Nothing here blocks or throws, however much is logged:
 * what main cannot keep up with is dropped and counted.
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
  /** The lowest level that is logged; may be raised above main's. */
  level: string;
  /** Does nothing: a line is on its way when it has been logged. */
  flush(done?: () => void): void;
}

/**
 * The reply of a call whose handler has returned without it. Exactly one of the two is used, once; more has no effect.
 * A handler that returns it tells its callers' types that the reply is a `T`.
 */
export interface DeferredReply<T = any> extends DeferredBrand<T> {
  reply(...value: undefined extends T ? [value?: T] : [value: T]): void;
  /** Rejects the call with this error and keeps the actor. */
  fail(error: Error): void;
}

/**
 * What an actor's code sees of the runtime. The same object for every message; `state` may be replaced. `Method` are the
 * names of the actor's handlers.
 */
export interface ActorContext<State = unknown, Method extends string = string> {
  state: State;
  /** This actor, to be sent to others. */
  readonly self: ActorRef;
  /** Path from the root, as `root/ingest/hasher`. */
  readonly id: string;
  /** The registered name of the spec, if it has one. */
  readonly name: string | undefined;
  /** 1 for the first start, one more for each restart. */
  readonly incarnation: number;
  /** The spec's `args`. */
  readonly args: any;
  readonly log: ActorLog;
  /** Aborted when the caller of the current call has given it up, and when the actor is asked to stop. */
  readonly signal: AbortSignal;
  /**
   * The actor or the router registered under `name`, or undefined; `whereis<typeof X>(name)` with the actor's type. Asks
   * main: blocks this thread for as long as main takes to answer.
   */
  whereis<T = any>(name: string): RefOf<NoInfer<T>> | undefined;
  /**
   * `info` gets `{ type: "DOWN", monitor, id, ref, reason }` once, when that actor's current incarnation has ended;
   * with `noproc` when none runs. Returns the monitor's id. Monitors stack. A router is watched as a whole, and lives on
   * while its members are restarted; a key's reference means its member of now.
   */
  monitor(ref: ActorRef | PoolRef): number;
  /** No DOWN of this monitor is delivered any more. */
  demonitor(monitor: number): void;
  /**
   * The first of the two that ends with another reason than `normal` ends the other too, unless that one traps
   * exits: then its `info` gets `{ type: "EXIT", id, ref, reason }`.
   */
  link(ref: ActorRef | PoolRef): void;
  unlink(ref: ActorRef | PoolRef): void;
  /** Whether exit signals become messages to `info` instead of ending this actor. */
  trapExit(trap: boolean): void;
  /** Sends an exit signal to another actor, or to every member of a router. `"kill"` cannot be trapped. */
  exit(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): void;
  /** Sends `method` to this actor in `delayMs`; runs between messages. Returns the timer's id. */
  sendAfter(delayMs: number, method: Method, ...args: unknown[]): number;
  /** Sends `method` every `periodMs`. A period that was missed is not made up for. */
  sendInterval(periodMs: number, method: Method, ...args: unknown[]): number;
  /** True when the timer was still to fire. */
  cancelTimer(id: number): boolean;
  /** Takes the reply over from the handler's return value. Throws TypeError outside of a call. */
  deferReply<T = any>(): DeferredReply<T>;
  /** Stops this actor after the current message. Default reason `normal`. Its mailbox is not drained. */
  stop(reason?: ExitReason): void;
  /** Handles `method` right after the current message, before any other. */
  continueWith(method: Method, ...args: unknown[]): void;
}
