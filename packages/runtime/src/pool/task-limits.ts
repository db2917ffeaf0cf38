import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { CALLED } from "@mini-otp/worker-host/protocol/port";
import type { Clock, Timer } from "../supervision/clock.js";
import type { Ending } from "./ending.js";

/** How often main looks at the tasks that run. */
const LOOK_MS = 20;
/** A look that is later than this was delayed, because main was busy or the process was stopped. */
const LATE_MS = 20;

/** The time that a task has left. */
export interface TaskLimit {
  readonly words: number;
  readonly ending: Ending;
  /** For its thread to start and to call its function. */
  loadLeftMs: number;
  /** Undefined until a look has found that the function was called. */
  leftMs: number | undefined;
  /** Set when the task took too long. */
  over: ExitReason | undefined;
}

/**
 * Limits the time of a pool's tasks, which begins when the function is called. A thread that has to start first has its
 * own limit. One timer looks at all of them. As in `afterRunning`, time in which main was blocked does not count, and a
 * late look ends nothing, unless the one before was late too: the result may have arrived meanwhile.
 */
export class TaskLimits {
  readonly #clock: Clock;
  readonly #taskTimeoutMs: number;
  readonly #startTimeoutMs: number;
  readonly #stageOf: (words: number) => number;
  readonly #limits = new Set<TaskLimit>();
  #timer: Timer | undefined;
  #lookedAt = 0;
  #wasLate = false;

  constructor(clock: Clock, taskTimeoutMs: number, startTimeoutMs: number, stageOf: (words: number) => number) {
    this.#clock = clock;
    this.#taskTimeoutMs = taskTimeoutMs;
    this.#startTimeoutMs = startTimeoutMs;
    this.#stageOf = stageOf;
  }

  /** `ending` is aborted when the time is over, and `over` says why. */
  begin(words: number, ending: Ending): TaskLimit {
    const limit = { words, ending, loadLeftMs: this.#startTimeoutMs, leftMs: undefined, over: undefined };
    this.#limits.add(limit);
    if (this.#timer === undefined) this.#lookLater();
    return limit;
  }

  end(limit: TaskLimit): void {
    this.#limits.delete(limit);
  }

  close(): void {
    this.#timer?.cancel();
    this.#limits.clear();
  }

  #lookLater(): void {
    this.#lookedAt = this.#clock.now();
    this.#timer = this.#clock.setTimer(Math.min(LOOK_MS, this.#taskTimeoutMs), () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const tookMs = this.#clock.now() - this.#lookedAt;
    const isLate = tookMs > LOOK_MS + LATE_MS;
    const ranMs = Math.min(tookMs, LOOK_MS);
    const mayEnd = !isLate || this.#wasLate;
    this.#wasLate = isLate;
    for (const limit of [...this.#limits]) this.#spend(limit, ranMs, mayEnd);
    if (this.#limits.size > 0) this.#lookLater();
  }

  #spend(limit: TaskLimit, ranMs: number, mayEnd: boolean): void {
    if (this.#stageOf(limit.words) !== CALLED) {
      limit.loadLeftMs -= ranMs;
      if (mayEnd && limit.loadLeftMs <= 0) this.#end(limit, { kind: "init_timeout", afterMs: this.#startTimeoutMs });
    } else if (limit.leftMs === undefined) {
      // It was called at any time since the last look.
      limit.leftMs = this.#taskTimeoutMs;
    } else {
      limit.leftMs -= ranMs;
      if (!mayEnd || limit.leftMs > 0) return;
      this.#end(limit, { kind: "unresponsive", method: "", afterMs: this.#taskTimeoutMs });
    }
  }

  #end(limit: TaskLimit, over: ExitReason): void {
    this.#limits.delete(limit);
    limit.over = over;
    limit.ending.abort();
  }
}
