import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { StopOutcome, StopRequest } from "../supervision/child.js";
import type { Clock } from "../supervision/clock.js";
import { demandMs } from "../supervision/stop-budget.js";

/** A thread that has not exited this long after its kill is given up. */
export const ZOMBIE_MS = 1000;
/**
 * A thread that has said that it exits is killed after this long. Its exit handlers run meanwhile. A question of the
 * inspector's that interrupts the exit ends it, and the program would go on.
 */
export const EXITING_MS = 2000;
/** What a deadline may be overrun by to see a killed thread out: it takes 1 to 5 ms, more on a busy machine. */
const LATE_MS = 100;

/** The incarnation that is stopped. */
export interface StoppedLife {
  /** Asks its thread to stop in order; with `drain` it still handles what it has accepted. */
  ask(reason: ExitReason, drain: boolean): void;
  /** Asks its thread to end, whatever it does. False when there is none. */
  kill(): boolean;
  /** Goes on as if its thread had exited. */
  giveUp(): void;
}

/** A stop that is under way, and the limits it is held to. */
export class Stopping {
  readonly request: StopRequest;
  readonly outcome: Promise<StopOutcome>;
  readonly #place: { readonly mailbox: Mailbox };
  readonly #life: StoppedLife;
  readonly #clock: Clock;
  readonly #handledBefore: number;
  #resolve!: (outcome: StopOutcome) => void;
  #timer: NodeJS.Timeout | undefined;
  /** The earliest there was, in the clock's ms. */
  #deadlineAt: number;
  /** Its thread has been asked to end. */
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
    // A bystander's mailbox is kept for its next incarnation, so it is neither closed nor drained.
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

  /** It does not run yet: nothing of it is to be drained or terminated. */
  giveUpStart(): void {
    this.#end();
  }

  /** Messages that were taken out of the mailbox, not handled. */
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

  /** A thread that ignores its kill must not make the whole tree late. */
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
