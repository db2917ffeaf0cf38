import { Queue } from "../protocol/calls/queue.js";
import type { Carrier } from "../protocol/calls/telemetry.js";
import type { OwnMessage, Snapshot } from "./snapshot.js";
import { Timers } from "./timers.js";

const MAX_DEMONITORED = 1024;

/** The clock of an actor's timers: `performance` in a thread. */
export interface MessageClock {
  now(): number;
}

/** The messages that reach an actor without its mailbox: its continuations, DOWN and EXIT, its timers. */
export class OwnMessages {
  readonly #clock: MessageClock;
  readonly #timers = new Timers();
  readonly #continuations = new Queue<OwnMessage>();
  readonly #signals = new Queue<OwnMessage>();
  readonly #demonitored = new Set<number>();
  #lastMonitor = 0;

  constructor(clock: MessageClock) {
    this.#clock = clock;
  }

  /** When the next timer fires, by the clock. */
  get nextDue(): number {
    return this.#timers.nextDue;
  }

  /** The next one: continuations first, then DOWN and EXIT, then due timers. */
  next(): OwnMessage | undefined {
    if (this.#continuations.length > 0) return this.#continuations.shift();
    return (this.#signals.length > 0 ? this.#nextSignal() : undefined) ?? this.#dueTimer();
  }

  continueWith(method: string, args: unknown[], carrier?: Carrier): void {
    this.#continuations.push({ method, args, carrier });
  }

  /** Adds a message to `info`. */
  signal(args: unknown[]): void {
    this.#signals.push({ method: "", args });
  }

  addTimer(delayMs: number, everyMs: number, method: string, args: unknown[], carrier?: Carrier): number {
    return this.#timers.add(this.#clock.now(), delayMs, everyMs, method, args, carrier);
  }

  /** True when the timer had still to fire. */
  cancelTimer(id: number): boolean {
    return this.#timers.cancel(id);
  }

  newMonitor(): number {
    return ++this.#lastMonitor;
  }

  /** Drops the DOWN of this monitor if it is on its way. */
  demonitor(monitor: number): void {
    // Main forgets the monitor soon, so it is enough to remember the latest ones.
    const [oldest] = this.#demonitored;
    if (this.#demonitored.size >= MAX_DEMONITORED) this.#demonitored.delete(oldest);
    this.#demonitored.add(monitor);
  }

  save(): Pick<Snapshot, "timers" | "lastTimer" | "continuations" | "signals" | "lastMonitor" | "demonitored"> {
    return {
      ...this.#timers.save(this.#clock.now()),
      continuations: [...this.#continuations],
      signals: [...this.#signals],
      lastMonitor: this.#lastMonitor,
      demonitored: [...this.#demonitored],
    };
  }

  restore(snapshot: Snapshot): void {
    this.#timers.restore(this.#clock.now(), snapshot.timers, snapshot.lastTimer);
    for (const message of snapshot.continuations) this.#continuations.push(message);
    for (const message of snapshot.signals) this.#signals.push(message);
    this.#lastMonitor = snapshot.lastMonitor;
    for (const monitor of snapshot.demonitored) this.#demonitored.add(monitor);
  }

  /** In the order main sent them, without a DOWN whose monitor was taken off meanwhile. */
  #nextSignal(): OwnMessage | undefined {
    for (let signal = this.#signals.shift(); signal !== undefined; signal = this.#signals.shift()) {
      const { type, monitor } = signal.args[0] as { type?: unknown; monitor?: number };
      if (type !== "DOWN" || !this.#demonitored.delete(monitor as number)) return signal;
    }
    return undefined;
  }

  #dueTimer(): OwnMessage | undefined {
    return this.#timers.nextDue === Infinity ? undefined : this.#timers.takeDue(this.#clock.now());
  }
}
