import type { Child, StartOutcome, StopOutcome, StopRequest } from "./child.js";
import type { FullChildSpec } from "./child-spec.js";
import type { Clock, Timer } from "./clock.js";
import { Deadline } from "./deadline.js";
import { limitAt, NOTHING_LEFT } from "./stop-budget.js";

interface Caller {
  resolve(ref: unknown): void;
  reject(error: unknown): void;
}

/** One child of a supervisor, and the start, stop or restart that is under way. */
export class ChildSlot {
  readonly spec: FullChildSpec;
  readonly path: string;
  readonly child: Child;
  #restartTimer: Timer | null = null;
  #stopRequest: StopRequest | null = null;
  #deadline: Deadline | null = null;
  #stopped: Promise<void> | null = null;
  #caller: Caller | null = null;

  constructor(spec: FullChildSpec, path: string, child: Child) {
    this.spec = spec;
    this.path = path;
    this.child = child;
  }

  /** Resolves when the stop in progress is over and the supervisor knows. */
  get stopped(): Promise<void> | null {
    return this.#stopped;
  }

  get isStopping(): boolean {
    return this.#stopped !== null;
  }

  /** A child that throws, which its contract forbids, has failed to start. */
  start(incarnation: number, settled: (outcome: StartOutcome) => void): void {
    const failed = (error: unknown): void => settled({ kind: "failed", reason: { kind: "error", error } });
    try {
      this.child.start(incarnation).then(settled, failed);
    } catch (error) {
      queueMicrotask(() => failed(error));
    }
  }

  stop(request: StopRequest, clock: Clock, settled: (outcome: StopOutcome, request: StopRequest) => void): void {
    this.#stopRequest = request;
    this.#deadline = new Deadline(clock);
    this.#deadline.drawIn(limitAt(request, clock.now()));
    const over = (outcome: StopOutcome): void => {
      const last = this.#stopRequest!;
      this.#stopRequest = null;
      this.#stopped = null;
      settled(outcome, last);
    };
    // A child that throws, which its contract forbids, is not waited for.
    const failed = (error: unknown): void => over({ ...NOTHING_LEFT, reason: { kind: "error", error } });
    try {
      this.#stopped = this.child.stop(request).then(over, failed);
    } catch (error) {
      this.#stopped = Promise.resolve(error).then(failed);
    }
  }

  /** Tightens the stop that is under way: it may get less time, but not more. */
  tighten(request: StopRequest, now: number): void {
    const deadline = this.#deadline!;
    deadline.drawIn(limitAt(request, now));
    const isBound = request.shutdown !== "brutal_kill" && deadline.atMs !== Infinity;
    this.#stopRequest = isBound ? { ...request, deadlineAt: deadline.atMs } : request;
    void this.child.stop(this.#stopRequest);
  }

  scheduleRestart(clock: Clock, delayMs: number, due: () => void): void {
    this.#restartTimer = clock.setTimer(delayMs, () => {
      this.#restartTimer = null;
      due();
    });
  }

  cancelRestart(): void {
    this.#restartTimer?.cancel();
    this.#restartTimer = null;
  }

  /** For the caller of `startChild` or `restartChild`. The next `answer` or `refuse` settles it. */
  nextStart(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#caller = { resolve, reject };
    });
  }

  answer(): void {
    this.#caller?.resolve(this.child.ref);
    this.#caller = null;
  }

  refuse(error: unknown): void {
    this.#caller?.reject(error);
    this.#caller = null;
  }
}
