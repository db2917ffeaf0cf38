import { existsSync } from "node:fs";
import { describeExit, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";
import type { FullGuardOptions } from "./guard-options.js";
import { leaveProcess } from "./leave-process.js";
import { isRunaway } from "./process-budget.js";

interface AbandonedThread {
  /** Lets the process end although this thread has not. */
  abandon(): void;
}

interface Abandoned {
  readonly id: string;
  readonly incarnation: number;
}

/** Its number in the operating system, 0 where it is not known, and until when it may still end in order. */
interface Survivor {
  readonly osThread: number;
  readonly untilMs: number;
}

/**
 * A stop that is at its deadline gives killed threads 100 ms. On a busy machine they get no core meanwhile and end a
 * moment later, so the exit of the process gives each this long since it was given up.
 */
const LAST_WAIT_MS = 1000;

/**
 * Threads that did not exit within a second after their kill, because they are in a long native operation, or in a loop
 * that V8 compiled without checks for interrupts. Node waits for every thread before it ends the process, so while
 * there are zombies the process is ended in another way.
 */
export class Zombies {
  readonly #options: FullGuardOptions;
  readonly #logger: Logger;
  readonly #events: Events;
  readonly #giveUpProcess: () => void;
  readonly #threads = new Map<AbandonedThread, Survivor>();
  readonly #leave = (code: number): void => {
    if (!this.#allEnd()) leaveProcess(code);
  };
  #count = 0;
  /** The least memory that belonged to no living actor when the process was over its budget and had a zombie. */
  #leastMb = Infinity;

  /** `giveUpProcess` stops the actors that can be stopped, then exits. */
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

  /** `osThread` is the thread's number in the operating system, or 0. */
  add(thread: AbandonedThread, osThread: number, { id, incarnation }: Abandoned, reason: ExitReason): void {
    // Put at the end of the list, so that all other listeners for the exit run first.
    process.off("exit", this.#leave).on("exit", this.#leave);
    this.#threads.set(thread, { osThread, untilMs: performance.now() + LAST_WAIT_MS });
    this.#count++;
    thread.abandon();
    this.#logger.error(
      { actor: id, incarnation, reason, zombies: this.size },
      `${id} has not exited a second after its kill (${describeExit(reason)}): its thread is left behind`,
    );
    this.#events.emit({ event: "actor_zombie", id, at: performance.now(), incarnation, reason });
    if (this.#options.onZombie === "exit") this.#giveUpProcess();
  }

  /** The thread has ended after all. */
  exited(thread: AbandonedThread): void {
    if (!this.#threads.delete(thread) || this.#threads.size > 0) return;
    process.off("exit", this.#leave);
    this.#leastMb = Infinity;
  }

  /**
   * The process is over its budget, and no actor is over its share. If memory that belongs to no living actor keeps
   * growing, a zombie leaks, and only the end of the process ends it. Most zombies are only slow to give back their
   * memory.
   */
  overBudget(totalMb: number, unclaimedMb: number): void {
    if (this.#threads.size === 0) return;
    this.#leastMb = Math.min(this.#leastMb, unclaimedMb);
    if (isRunaway(totalMb, unclaimedMb - this.#leastMb)) this.#giveUpProcess();
  }

  /**
   * Whether all of them have ended, at the exit of the process. Waits for those that have a chance: Node, too, would wait
   * for every thread, and without a limit. Only Linux tells which threads there are.
   */
  #allEnd(): boolean {
    const mayEnd = ({ osThread, untilMs }: Survivor): boolean => osThread !== 0 && performance.now() < untilMs;
    let left = [...this.#threads.values()];
    do left = left.filter(({ osThread }) => !hasEnded(osThread));
    while (left.length > 0 && left.every(mayEnd));
    return left.length === 0;
  }
}

/** False, too, where this cannot be seen: main has no permission to look, when it does not even see itself. */
function hasEnded(osThread: number): boolean {
  const isThere = (thread: number): boolean => existsSync(`/proc/self/task/${thread}`);
  return osThread !== 0 && !isThere(osThread) && isThere(process.pid);
}
