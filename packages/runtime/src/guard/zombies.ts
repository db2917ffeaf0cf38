import { describeExit, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";
import type { FullGuardOptions } from "./guard-options.js";
import { leaveProcess } from "./leave-process.js";
import { isRunaway } from "./process-budget.js";

interface AbandonedThread {
  /** The process may end although this thread has not. */
  abandon(): void;
}

interface Abandoned {
  readonly id: string;
  readonly incarnation: number;
}

/**
 * Threads that did not exit a second after their kill: in a native operation that takes longer, or in a loop that
 * V8 compiled without a look for interrupts. Node waits for every thread before it ends the process, so while
 * there are any the process leaves in another way.
 */
export class Zombies {
  readonly #options: FullGuardOptions;
  readonly #logger: Logger;
  readonly #events: Events;
  readonly #giveUpProcess: () => void;
  readonly #threads = new Set<AbandonedThread>();
  readonly #leave = (code: number): void => {
    if (this.#threads.size > 0) leaveProcess(code);
  };
  #count = 0;
  /** The least that was no living actor's while the process was over its budget and there was a zombie. */
  #leastMb = Infinity;

  /** `giveUpProcess` stops what can be stopped, then exits. */
  constructor(options: FullGuardOptions, logger: Logger, events: Events, giveUpProcess: () => void) {
    this.#giveUpProcess = giveUpProcess;
    this.#options = options;
    this.#logger = logger;
    this.#events = events;
  }

  /** How many there have been. */
  get count(): number {
    return this.#count;
  }

  /** How many there are. */
  get size(): number {
    return this.#threads.size;
  }

  add(thread: AbandonedThread, { id, incarnation }: Abandoned, reason: ExitReason): void {
    // At the end of the list, so that all other listeners for the exit run first.
    process.off("exit", this.#leave).on("exit", this.#leave);
    this.#threads.add(thread);
    this.#count++;
    thread.abandon();
    this.#logger.error(
      { actor: id, incarnation, reason, zombies: this.size },
      `${id} has not exited a second after its kill (${describeExit(reason)}): its thread is left behind`,
    );
    this.#events.emit({ event: "actor_zombie", id, at: performance.now(), incarnation, reason });
    if (this.#options.onZombie === "exit") this.#giveUpProcess();
  }

  /** It has ended after all. */
  exited(thread: AbandonedThread): void {
    if (!this.#threads.delete(thread) || this.#threads.size > 0) return;
    process.off("exit", this.#leave);
    this.#leastMb = Infinity;
  }

  /**
   * The process is over its budget and no actor is to blame. If the unattributed memory goes on growing, a zombie grows, and
   * nothing else ends it. Most are only slow to give back what they had.
   */
  overBudget(totalMb: number, unclaimedMb: number): void {
    if (this.#threads.size === 0) return;
    this.#leastMb = Math.min(this.#leastMb, unclaimedMb);
    if (isRunaway(totalMb, unclaimedMb - this.#leastMb)) this.#giveUpProcess();
  }
}
