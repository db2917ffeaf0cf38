import { channel } from "node:diagnostics_channel";
import { EventEmitter, on } from "node:events";
import {
  aFunction,
  type ExitReason,
  invalidOption,
  type LogLevel,
  type OverflowPolicy,
  printable,
  showValue,
  takeArgument,
} from "@mini-otp/worker-host/protocol";
import type { LastSeen } from "../introspection/last-seen.js";
import type { SupervisionReport } from "../supervision/report.js";
import type { Logger } from "./logger.js";

type Reported<E extends SupervisionReport["event"]> = Extract<SupervisionReport, { event: E }>;

interface At {
  /** Path of the actor or supervisor. */
  readonly id: string;
  /** Monotonic ms, `performance.now()` of the main thread. */
  readonly at: number;
}

/** Everything a system tells, by event name. The same go to `node:diagnostics_channel` as `mini-otp:<event>`. */
export interface SystemEvents {
  actor_started: Reported<"actor_started">;
  actor_exited: Reported<"actor_exited"> & LastSeen;
  actor_restarted: Reported<"actor_restarted">;
  child_start_failed: Reported<"child_start_failed"> & LastSeen;
  supervisor_escalated: Reported<"supervisor_escalated">;
  /** The actor's incarnation goes on with other code. `version` is the new code's, if it names one. */
  actor_upgraded: At & {
    readonly event: "actor_upgraded";
    readonly incarnation: number;
    readonly fromVersion: string;
    readonly version?: string;
  };
  /** A thread of a pool has ended before its task. */
  pool_thread_lost: At & {
    readonly event: "pool_thread_lost";
    /** The function's name. */
    readonly task: string;
    readonly reason: ExitReason;
  };
  /**
   * A sender found no room in the mailbox: it waits, or the message was refused or dropped. Told once, and again only
   * after the mailbox was found half empty, which is looked for every second.
   */
  mailbox_full: At & {
    readonly event: "mailbox_full";
    /** What was sent. */
    readonly method: string;
    readonly length: number;
    readonly bytes: number;
    readonly overflow: OverflowPolicy;
  };
  /** A message that will not be handled. */
  dead_letter: At & {
    readonly event: "dead_letter";
    readonly method: string;
    readonly why: DeadLetterCause;
    readonly reason?: ExitReason;
  };
  /** The guard has ended an actor. */
  guard_killed: At & { readonly event: "guard_killed"; readonly reason: ExitReason };
  /** A thread has not exited a second after its kill. It is left behind; its actor goes on in another. */
  actor_zombie: At & { readonly event: "actor_zombie"; readonly incarnation: number; readonly reason: ExitReason };
  system_stopped: At & { readonly event: "system_stopped"; readonly reason: ExitReason };
}

/** What an actor has given its log, as main's logger gets it. */
export interface LogLine extends At {
  readonly incarnation: number;
  /** Node's id of the thread. */
  readonly thread: number | undefined;
  readonly level: LogLevel;
  /** As for pino: an object or an error may come first, then the message and what it is formatted with. */
  readonly args: readonly unknown[];
}

/** `in_flight`: being handled at the crash, with no delivery left; `queued`: waiting when the mailbox closed;
 * `dropped`: by the mailbox's policy; `unhandled`: no handler for it, or not to be decoded. */
export type DeadLetterCause = "in_flight" | "queued" | "dropped" | "unhandled";

export type EventName = keyof SystemEvents;
export type SystemEvent = SystemEvents[EventName];
export const EVENT_NAMES: readonly EventName[] = [
  "actor_started",
  "actor_exited",
  "actor_restarted",
  "actor_upgraded",
  "child_start_failed",
  "supervisor_escalated",
  "pool_thread_lost",
  "mailbox_full",
  "dead_letter",
  "guard_killed",
  "actor_zombie",
  "system_stopped",
];

const channels = new Map(EVENT_NAMES.map((name) => [name, channel(`mini-otp:${name}`)]));

export class Events {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #logger: Logger;
  readonly #logListeners = new Set<(line: LogLine) => void>();
  /** Called when the first listener for log lines has come, or the last has gone. */
  onLogListened: () => void = () => {};

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Never throws: what a listener throws is logged, and the others hear of the event all the same. */
  emit(event: SystemEvent): void {
    channels.get(event.event)?.publish(event);
    for (const listener of this.#emitter.rawListeners(event.event)) {
      try {
        listener.call(this.#emitter, event);
      } catch (error) {
        this.#logger.error({ event: event.event, id: event.id, err: error }, `a listener for ${event.event} threw`);
      }
    }
    this.#emitter.emit("*", event);
  }

  /** Returns the function that takes the listener off again. Throws ERR_INVALID_OPTION for an unknown event. */
  on<E extends EventName>(name: E, listener: (event: SystemEvents[E]) => void): () => void {
    if (!channels.has(name)) throw unknownEvent(name);
    takeArgument("on", "listener", listener, aFunction);
    this.#emitter.on(name, listener);
    return () => void this.#emitter.off(name, listener);
  }

  /** Returns the function that takes the listener off again. */
  onLog(listener: (line: LogLine) => void): () => void {
    const own = (line: LogLine) => listener(line);
    this.#logListeners.add(own);
    this.onLogListened();
    return () => {
      this.#logListeners.delete(own);
      this.onLogListened();
    };
  }

  /** Somebody listens for log lines. */
  get logListened(): boolean {
    return this.#logListeners.size > 0;
  }

  /** Never throws. */
  log(line: LogLine): void {
    for (const listener of this.#logListeners) {
      try {
        listener(line);
      } catch (error) {
        this.#logger.error({ id: line.id, err: error }, "a listener for log lines threw");
      }
    }
  }

  /** All events from now on, in order, until `signal` is aborted. */
  async *stream(signal?: AbortSignal): AsyncGenerator<SystemEvent, void, undefined> {
    try {
      for await (const [event] of on(this.#emitter, "*", signal === undefined ? {} : { signal }))
        yield event as SystemEvent;
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  }
}

function unknownEvent(name: unknown): Error {
  const allowed = EVENT_NAMES.join(", ");
  const shown = typeof name === "string" ? name.slice(0, 80) : showValue(name);
  const facts = { function: "on", field: "event", value: name, allowed };
  return invalidOption(`on: event=${printable(shown)}: unknown; there are: ${allowed}`, facts);
}
