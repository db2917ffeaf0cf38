import { promiseHooks } from "node:v8";

/**
 * Whether microtasks may be waiting. A handler that created or settled no promise leaves none behind, so the next
 * message can follow at once and saves the 170 ns that it takes to let the queue run empty.
 */
export class Microtasks {
  due = false;

  readonly #nextTick = process.nextTick;

  private constructor() {}

  /**
   * Watches this thread's promises, and its `queueMicrotask` and `process.nextTick`, which it replaces. Once per
   * thread.
   */
  static install(): Microtasks {
    const microtasks = new Microtasks();
    const mark = (): void => {
      microtasks.due = true;
    };
    promiseHooks.onInit(mark);
    promiseHooks.onSettled(mark);
    const { queueMicrotask: queue } = globalThis;
    globalThis.queueMicrotask = (callback) => {
      microtasks.due = true;
      queue(callback);
    };
    const { nextTick } = process;
    process.nextTick = (callback: (...args: any[]) => void, ...args: unknown[]) => {
      microtasks.due = true;
      nextTick(callback, ...args);
    };
    return microtasks;
  }

  /** Runs `then` after all microtasks, including those that they queue, and before the event loop turns. */
  drain(then: () => void): void {
    void DONE.then(() => this.#nextTick(this.#drained, then));
  }

  readonly #drained = (then: () => void): void => {
    // Not before: the promise that led here has settled, and that sets the mark too.
    this.due = false;
    then();
  };
}

const DONE: Promise<void> = Promise.resolve();
