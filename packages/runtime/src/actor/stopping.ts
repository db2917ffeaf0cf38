import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { StopOutcome, StopRequest } from "../supervision/child.js";
import type { Clock } from "../supervision/clock.js";
import { demandMs } from "../supervision/stop-budget.js";

/** A thread that has not exited this long after its kill is given up. */
export const ZOMBIE_MS = 1000;
/**
 * A thread that has announced its exit is killed after this long; its exit handlers run meanwhile. It needs a limit,
 * because an inspector request that interrupts the exit cancels it, and the program would go on.
 */
export const EXITING_MS = 2000;
/** A stop may overrun its deadline by this while a killed thread ends: that takes 1 to 5 ms, more on a busy machine. */
const LATE_MS = 100;

/** The incarnation that is stopped. */
export interface StoppedLife {
  /** Asks its thread to stop in order. With `drain`, the thread first handles the messages it has accepted. */
  ask(reason: ExitReason, drain: boolean): void;
  /** Kills its thread. False when there is none. */
  kill(): boolean;
  /** Goes on as if its thread had exited. */
  giveUp(): void;
}

/** A stop that is under way, with its limits. */
export class Stopping {
  readonly request: StopRequest;
  readonly outcome: Promise<StopOutcome>;
  readonly #place: { readonly mailbox: Mailbox };
  readonly #life: StoppedLife;
  readonly #clock: Clock;
  readonly #handledBefore: number;
  #resolve!: (outcome: StopOutcome) => void;
  #timer: NodeJS.Timeout | undefined;
  /** The earliest deadline so far, in the clock's ms. */
  #deadlineAt: number;
  /** The thread was killed, or its start given up. */
  #ending = false;
  #killed = false;
  #dropped = 0;

  constructor(request: StopRequest, place: { readonly mailbox: Mailbox }, clock: Clock, life: StoppedLife) {
    this.request = request;
    this.#place = place;
    this.#life = life;
    this.#clock = clock;
    this.#handledBefore = place.mailbox.handledSeq;
    this.#deadlineAt = request.deadlineAt ?? Infinity;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  ask(): void {
    const { reason, restarting } = this.request;
    // An actor that will be started again keeps its mailbox for that, so the mailbox is neither closed nor drained.
    if (!restarting) this.#place.mailbox.drain();
    this.#life.ask(reason, !restarting);
    this.limit(this.request);
  }

  /** Holds the stop to the earlier of its limits. */
  limit({ shutdown, deadlineAt = Infinity }: StopRequest): void {
    const drawnIn = deadlineAt < this.#deadlineAt;
    if (drawnIn) this.#deadlineAt = deadlineAt;
    if (this.#ending) {
      if (drawnIn) this.#giveUpAfterKill();
      return;
    }
    if (shutdown === "brutal_kill") {
      this.kill();
      return;
    }
    const limitMs = Math.min(demandMs(shutdown), deadlineAt - this.#clock.now());
    if (limitMs !== Infinity) this.#after(limitMs, () => this.kill());
  }

  kill(): void {
    if (this.#end()) this.#killed = true;
  }

  /** Ends a start under way. That is no kill in the stop's outcome, because nothing that ran is cut short. */
  giveUpStart(): void {
    this.#end();
  }

  /** Counts messages that were taken out of the mailbox without being handled. */
  lost(count: number): void {
    this.#dropped += count;
  }

  /** The incarnation is over. */
  settle(reason: ExitReason, zombie: boolean): void {
    clearTimeout(this.#timer);
    const { mailbox } = this.#place;
    this.#resolve({
      reason,
      drained: (mailbox.handledSeq - this.#handledBefore - this.#dropped) | 0,
      dropped: this.#dropped + (this.request.restarting ? 0 : mailbox.counts().length),
      killed: this.#killed || zombie,
      zombie,
    });
  }

  #end(): boolean {
    if (this.#ending || !this.#life.kill()) return false;
    this.#ending = true;
    clearTimeout(this.#timer);
    this.#giveUpAfterKill();
    return true;
  }

  /** A thread that survives its kill must not delay the whole tree. */
  #giveUpAfterKill(): void {
    if (this.#deadlineAt === Infinity) return;
    const leftMs = Math.max(0, this.#deadlineAt - this.#clock.now()) + LATE_MS;
    this.#after(Math.min(ZOMBIE_MS, leftMs), () => this.#life.giveUp());
  }

  #after(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, Math.max(0, ms));
  }
}
