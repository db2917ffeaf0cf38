import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { StopOutcome, StopRequest } from "../supervision/child.js";
import { type Clock, systemClock } from "../supervision/clock.js";
import { Deadline } from "../supervision/deadline.js";
import { type Deferred, deferred } from "../supervision/deferred.js";
import { limitAt } from "../supervision/stop-budget.js";
import { ZOMBIE_MS } from "../threads/end-limits.js";

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
  readonly #outcome: Deferred<StopOutcome> = deferred();
  readonly #place: { readonly mailbox: Mailbox };
  readonly #life: StoppedLife;
  readonly #clock: Clock;
  readonly #handledBefore: number;
  /** By when it has to have ended, whatever its own spec gives it. */
  readonly #treeDeadline: Deadline;
  /** By when it is killed. */
  readonly #killDeadline: Deadline;
  /** By when its thread, which has been killed, is given up. */
  readonly #exitDeadline: Deadline;
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
    // Its limits are told by its supervisor's clock, its thread takes real time.
    const threadClock: Clock = { now: () => clock.now(), setTimer: systemClock.setTimer };
    this.#treeDeadline = new Deadline(clock);
    this.#killDeadline = new Deadline(threadClock, () => this.kill());
    this.#exitDeadline = new Deadline(threadClock, () => life.giveUp());
  }

  get outcome(): Promise<StopOutcome> {
    return this.#outcome.promise;
  }

  ask(): void {
    const { reason, restarting } = this.request;
    // An actor that will be started again keeps its mailbox for that, so the mailbox is neither closed nor drained.
    if (!restarting) this.#place.mailbox.drain();
    this.#life.ask(reason, !restarting);
    this.limit(this.request);
  }

  /** Holds the stop to the earlier of its limits. */
  limit(request: StopRequest): void {
    const isEarlier = this.#treeDeadline.drawIn(request.deadlineAt ?? Infinity);
    if (this.#ending) {
      if (isEarlier) this.#limitExit();
    } else if (request.shutdown === "brutal_kill") {
      this.kill();
    } else {
      this.#killDeadline.drawIn(limitAt(request, this.#clock.now()));
    }
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
    this.#killDeadline.cancel();
    this.#exitDeadline.cancel();
    const { mailbox } = this.#place;
    this.#outcome.resolve({
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
    this.#killDeadline.cancel();
    this.#limitExit();
    return true;
  }

  /** A thread that ignores its kill must not make the whole tree late. */
  #limitExit(): void {
    const { atMs, leftMs } = this.#treeDeadline;
    if (atMs !== Infinity) this.#exitDeadline.drawIn(this.#clock.now() + Math.min(ZOMBIE_MS, leftMs + LATE_MS));
  }
}
