import { channel } from "node:diagnostics_channel";
import { type ExitReason, invalidOption, printable, showValue } from "@mini-otp/worker-host/protocol/errors";
import type { OverflowPolicy } from "@mini-otp/worker-host/protocol/memory";
import { aFunction, takeArgument } from "@mini-otp/worker-host/protocol/options";
import type { LogLevel } from "@mini-otp/worker-host/protocol/port";
import type { SupervisionReport } from "../supervision/report.js";
import type { EventFacts } from "./event-facts.js";
import { BACKLOG, EventStream } from "./event-stream.js";
import type { LastSeen } from "./last-seen.js";
import { callSafely } from "./listeners.js";
import type { Logger } from "./logger.js";
import { NODE_EVENT_NAMES, type NodeEvents } from "./node-events.js";

export type { EventFacts };

/** What supervision reports under this name. */
export type ReportedEvent<E extends SupervisionReport["event"]> = Extract<SupervisionReport, { event: E }>;

/** Memory of the process that is in no numbers of the actors' or main's, and the actors that ran while it grew. */
export interface UnattributedMemory {
  readonly rssMb: number;
  readonly totalMb: number;
  readonly unattributedMb: number;
  /** The actors that ran while it grew, with the growth that is put down to each. */
  readonly suspects: readonly { readonly id: string; readonly grewMb: number }[];
}

/** The events of a system, by name. The same events go to `node:diagnostics_channel` as `mini-otp:<event>`. */
export interface SystemEvents extends NodeEvents {
  actor_started: ReportedEvent<"actor_started">;
  actor_exited: ReportedEvent<"actor_exited"> & LastSeen;
  actor_restarted: ReportedEvent<"actor_restarted">;
  child_start_failed: ReportedEvent<"child_start_failed"> & LastSeen;
  supervisor_escalated: ReportedEvent<"supervisor_escalated">;
  /** The actor's incarnation goes on with new code. `version` is that of the new code, if it names one. */
  actor_upgraded: EventFacts & {
    readonly event: "actor_upgraded";
    readonly incarnation: number;
    readonly fromVersion: string;
    readonly version?: string;
  };
  /** A thread of a pool has ended before its task. */
  pool_thread_lost: EventFacts & {
    readonly event: "pool_thread_lost";
    /** The function's name. */
    readonly task: string;
    readonly reason: ExitReason;
  };
  /**
   * A sender found no room in the mailbox: it waits, or the message was refused or dropped. Emitted once, and again
   * only after the mailbox was half empty, which main checks every second.
   */
  mailbox_full: EventFacts & {
    readonly event: "mailbox_full";
    /** The method of the message that found no room. */
    readonly method: string;
    readonly length: number;
    readonly bytes: number;
    readonly overflow: OverflowPolicy;
  };
  /** A message that will not be handled. */
  dead_letter: EventFacts & {
    readonly event: "dead_letter";
    readonly method: string;
    readonly why: DeadLetterCause;
    readonly reason?: ExitReason;
    /** How many such messages, when it is more than one: of light actors, `method` is that of one of them. */
    readonly count?: number;
  };
  /**
   * Light actors of a supervisor with `threads` have ended: once a second at most, for all of them. `reasons` counts
   * them by the kind of their exit reason; `sample` is the first that ended by an error. `restarted` have begun another
   * life; `givenUp` have not, because they had been restarted `intensity` times within `periodMs`.
   */
  members_ended: EventFacts & {
    readonly event: "members_ended";
    readonly count: number;
    readonly reasons: Readonly<Record<string, number>>;
    readonly restarted: number;
    readonly givenUp: number;
    readonly sample?: { readonly id: string; readonly reason: ExitReason };
  };
  /**
   * A light actor is not started again: within `periodMs` its partition has ended over it `ends` times. `reason` is that of
   * the last of these.
   */
  actor_quarantined: EventFacts & {
    readonly event: "actor_quarantined";
    readonly reason: ExitReason;
    readonly ends: number;
    readonly periodMs: number;
  };
  /** The guard has ended an actor. */
  guard_killed: EventFacts & { readonly event: "guard_killed"; readonly reason: ExitReason };
  /** A thread has not exited a second after its kill. It is left behind; its actor goes on in another. */
  actor_zombie: EventFacts & {
    readonly event: "actor_zombie";
    readonly incarnation: number;
    readonly reason: ExitReason;
  };
  /**
   * Memory that neither the actors' samples nor main's own numbers show has put the process over `guard.totalMb`. `id`
   * is the most suspect actor, or the root. Emitted once in five seconds while it lasts, and for each suspect that is
   * ended.
   */
  memory_unattributed: EventFacts &
    UnattributedMemory & {
      readonly event: "memory_unattributed";
      /** What the guard does about it: `guard.onUnattributed`. */
      readonly action: "report" | "kill_suspect" | "exit";
    };
  system_stopped: EventFacts & { readonly event: "system_stopped"; readonly reason: ExitReason };
}

/** A line of an actor's log, as main's logger gets it. */
export interface LogLine extends EventFacts {
  readonly incarnation: number;
  /** Node's id of the thread. */
  readonly thread: number | undefined;
  readonly level: LogLevel;
  /**
   * As for pino: first an object or an error, if there is one, then the message and the values for its placeholders.
   */
  readonly args: readonly unknown[];
}

/** `in_flight`: being handled at the crash, with no delivery left; `queued`: waiting when the mailbox closed;
 * `dropped`: by the mailbox's policy; `unhandled`: no handler for it, or not to be decoded; `no_connection`: it was for an
 * actor of another node, and the connection was lost before it got there. */
export type DeadLetterCause = "in_flight" | "queued" | "dropped" | "unhandled" | "no_connection";

/** What `system.on` takes. (The compiler lists them where another is given; of `keyof SystemEvents` it says no more.) */
export type EventName = SystemEvents extends infer Events ? keyof Events & string : never;
/** Any event of a system. `event` says which. */
export type SystemEvent = SystemEvents[EventName];
/** `missed`: how many events before this one are missing, because more came than were taken. */
export type StreamedEvent = SystemEvent & { readonly missed: number };
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
  "members_ended",
  "actor_quarantined",
  "guard_killed",
  "actor_zombie",
  "memory_unattributed",
  "system_stopped",
  ...NODE_EVENT_NAMES,
];

const channels = new Map(EVENT_NAMES.map((name) => [name, channel(`mini-otp:${name}`)]));

/** All events of a system for one reader, until the last. */
class SystemEventStream extends EventStream<StreamedEvent> {
  readonly #streams: Set<SystemEventStream>;
  #missed = 0;

  constructor(streams: Set<SystemEventStream>, signal: AbortSignal | undefined) {
    super(signal);
    this.#streams = streams;
    if (!this.closed) streams.add(this);
  }

  tell(event: SystemEvent): void {
    // The last event always finds room, because it says that the system has stopped, and how many events are missing.
    if (this.backlog >= BACKLOG && event.event !== "system_stopped") {
      this.#missed++;
      return;
    }
    const missed = this.#missed;
    this.#missed = 0;
    this.offer({ ...event, missed });
  }

  protected override left(): void {
    this.#streams.delete(this);
  }
}

type Listener = (event: SystemEvent) => void;

export class Events {
  readonly #listeners = new Map<EventName, Set<{ readonly listener: Listener }>>();
  readonly #streams = new Set<SystemEventStream>();
  #ended = false;
  readonly #logger: Logger;
  readonly #logListeners = new Set<(line: LogLine) => void>();
  /** Called when a listener for log lines was added or removed. */
  onLogListened: () => void = () => {};

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Never throws: when a listener throws, its error is logged, and the others still get the event. A listener that is
   * removed meanwhile does not. After `system_stopped` all streams end.
   */
  emit(event: SystemEvent): void {
    // Streams come first, because a listener may cause further events, and streams must keep the order.
    for (const stream of this.#streams) stream.tell(event);
    if (event.event === "system_stopped") this.#endStreams();
    channels.get(event.event)?.publish(event);
    const listeners = this.#listeners.get(event.event);
    if (listeners === undefined) return;
    for (const own of [...listeners]) {
      if (!listeners.has(own)) continue;
      const { listener } = own;
      callSafely(
        () => listener(event),
        (error) =>
          this.#logger.error(
            { actor: event.id, event: event.event, err: error },
            `a listener for ${event.event} threw`,
          ),
      );
    }
  }

  /** Returns a function that removes the listener. Throws ERR_INVALID_OPTION for an unknown event. */
  on<E extends EventName>(name: E, listener: (event: SystemEvents[E]) => void): () => void {
    if (!channels.has(name)) throw unknownEvent(name);
    takeArgument("on", "listener", listener, aFunction);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const own = { listener: listener as Listener };
    listeners.add(own);
    return () => void listeners.delete(own);
  }

  /** Returns a function that removes the listener. */
  onLog(listener: (line: LogLine) => void): () => void {
    const own = (line: LogLine) => listener(line);
    this.#logListeners.add(own);
    this.onLogListened();
    return () => {
      this.#logListeners.delete(own);
      this.onLogListened();
    };
  }

  /** True while there is a listener for log lines. */
  get logListened(): boolean {
    return this.#logListeners.size > 0;
  }

  /** Never throws. */
  log(line: LogLine): void {
    for (const listener of this.#logListeners) {
      callSafely(
        () => listener(line),
        (error) => this.#logger.error({ actor: line.id, err: error }, "a listener for log lines threw"),
      );
    }
  }

  /** All events from now on, in order, until it is left, `signal` is aborted, or the system has stopped. */
  stream(signal?: AbortSignal): AsyncGenerator<StreamedEvent, void, undefined> {
    const stream = new SystemEventStream(this.#streams, signal);
    if (this.#ended) stream.close();
    return stream;
  }

  #endStreams(): void {
    this.#ended = true;
    for (const stream of this.#streams) stream.close();
  }
}

function unknownEvent(name: unknown): Error {
  const allowed = EVENT_NAMES.join(", ");
  const shown = typeof name === "string" ? name.slice(0, 80) : showValue(name);
  const facts = { function: "on", field: "event", value: name, allowed };
  return invalidOption(`on: event=${printable(shown)}: unknown; there are: ${allowed}`, facts);
}
