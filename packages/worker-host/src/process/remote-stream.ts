import { type ItemSource, RefusedItem } from "../loop/outgoing-stream.js";

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });

/** A stream that a handler in a process has answered with, as its thread's loop reads it: one item at a time. */
export class RemoteStream implements ItemSource {
  readonly #pull: (ends: boolean) => void;
  readonly #closed: () => void;
  #waiters: Waiter[] = [];
  #isOver = false;

  /** `pull` asks for the next item, or the end; `closed` is called when nothing more comes. */
  constructor(pull: (ends: boolean) => void, closed: () => void) {
    this.#pull = pull;
    this.#closed = closed;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#ask(false);
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    return this.#ask(true);
  }

  arrived(value: unknown): void {
    this.#waiters.shift()?.resolve({ value, done: false });
  }

  /** The next item cannot leave the process. */
  refused(error: unknown): void {
    this.arrived(new RefusedItem(error));
  }

  finished(): void {
    this.#end()?.resolve(DONE);
  }

  failed(error: unknown): void {
    this.#end()?.reject(error);
  }

  #ask(ends: boolean): Promise<IteratorResult<unknown, undefined>> {
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#pull(ends);
    });
  }

  /** The first that waits is told how it has ended; the others, only that it has. */
  #end(): Waiter | undefined {
    this.#isOver = true;
    this.#closed();
    const [first, ...others] = this.#waiters;
    this.#waiters = [];
    for (const { resolve } of others) resolve(DONE);
    return first;
  }
}
