import { announce, PARKED, retract, sleepAsync } from "@mini-otp/worker-host/protocol/memory";

/*
 * How long main polls for replies before it sleeps until a thread wakes it. A wake-up from another thread costs
 * 10–50 µs, one turn of the event loop 1–2 µs. But turns that find nothing take the core from the thread that would
 * reply. So main polls only while calls are open, while a core is free beside those of the awake actors, and while
 * polling has paid off; and it tries again now and then.
 */
const MAX_MS = 0.1;
const PROBE_MS = 0.05;
const MIN_MS = 0.01;
/** When polling does not pay off, main tries it once in this many calls. */
const PROBE_EVERY = 16;

// Taken when this module loads, because a test may replace them by fake timers later.
const { setImmediate: atNextTurn } = globalThis;
const now = performance.now.bind(performance);

export interface ReplyWatchParts {
  /** Main's slot, whose doorbell replies ring. */
  readonly words: Int32Array;
  /** One word: the number of actors' threads that do not sleep. */
  readonly awake: Int32Array;
  readonly cores: number;
  /** Takes replies, up to a limit. Returns their number. */
  take(): number;
  /** Whether a reply has arrived that `take` would take. */
  arrived(): boolean;
  /** Whether a call is open. */
  expecting(): boolean;
}

/** Calls `take` when replies have come. Never blocks, and does nothing while no call is open. */
export class ReplyWatch {
  readonly #parts: ReplyWatchParts;
  /** Main polls: it looks at every turn of the event loop. */
  #watching = false;
  /** A wait is outstanding. There is one at a time: it stays while main polls, and serves the next sleep. */
  #waiting = false;
  #closed = false;
  #patienceMs = PROBE_MS;
  #unwatched = 0;
  #sinceMs = 0;

  constructor(parts: ReplyWatchParts) {
    this.#parts = parts;
    this.#look();
  }

  /** A call has been sent. */
  expect(): void {
    if (this.#watching || this.#closed || !this.#hasCore() || !this.#paysOff()) return;
    // Main polls now: senders need not ring the doorbell.
    retract(this.#parts.words, PARKED);
    this.#turn();
  }

  close(): void {
    this.#closed = true;
  }

  #hasCore(): boolean {
    return Atomics.load(this.#parts.awake, 0) < this.#parts.cores;
  }

  #paysOff(): boolean {
    if (this.#patienceMs > 0) return true;
    if (++this.#unwatched < PROBE_EVERY) return false;
    this.#unwatched = 0;
    this.#patienceMs = PROBE_MS;
    return true;
  }

  /** Looks again at the event loop's next turn. */
  #turn(): void {
    if (!this.#watching) this.#sinceMs = now();
    this.#watching = true;
    atNextTurn(this.#look);
  }

  readonly #look = (): void => {
    if (this.#closed) return;
    const { take, expecting } = this.#parts;
    if (take() > 0) {
      if (this.#watching) {
        this.#patienceMs = Math.min(MAX_MS, Math.max(PROBE_MS, this.#patienceMs * 2));
        this.#sinceMs = now();
      }
      // Also after the last reply, because its caller may call again before the event loop turns.
      this.#turn();
      return;
    }
    if (this.#watching && expecting()) {
      if (this.#hasCore() && now() - this.#sinceMs < this.#patienceMs) {
        this.#turn();
        return;
      }
      this.#patienceMs = this.#patienceMs <= MIN_MS ? 0 : this.#patienceMs / 2;
    }
    this.#sleep();
  };

  #sleep(): void {
    const { words, arrived } = this.#parts;
    this.#watching = false;
    announce(words, PARKED);
    if (arrived()) {
      retract(words, PARKED);
      this.#turn();
      return;
    }
    if (this.#waiting) return;
    const waiting = sleepAsync(words, PARKED);
    if (waiting === undefined) {
      this.#turn();
      return;
    }
    this.#waiting = true;
    void waiting.then(() => {
      this.#waiting = false;
      if (!this.#watching) this.#look();
    });
  }
}
