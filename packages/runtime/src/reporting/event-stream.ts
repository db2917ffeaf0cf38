import { whenAborted } from "@mini-otp/worker-host/protocol/calls";

/** Events that may wait to be taken. Those that find no room are counted. */
export const BACKLOG = 1024;

const OVER = Object.freeze({ done: true, value: undefined });

/**
 * Events for one reader, in order, from when this is made until it is closed, left or aborted. Each `next` gets one of
 * its own, also when several wait at a time. What waits when it is closed can still be taken. The subclass sees to it
 * that no more than `BACKLOG` wait.
 */
export abstract class EventStream<E> implements AsyncGenerator<E, void, undefined> {
  readonly #waiting: E[] = [];
  readonly #takers: ((result: IteratorResult<E, void>) => void)[] = [];
  readonly #release: () => void = () => {};
  #closed = false;

  /** With a signal that is aborted already it is closed from the start, and `left` is not called. */
  constructor(signal?: AbortSignal) {
    if (signal?.aborted) this.#closed = true;
    else if (signal !== undefined) this.#release = whenAborted(signal, () => this.close());
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
    for (const taker of this.#takers.splice(0)) taker(OVER);
    this.left();
  }

  next(): Promise<IteratorResult<E, void>> {
    if (this.#waiting.length > 0) {
      const value = this.#waiting.shift() as E;
      this.taken(value);
      return Promise.resolve({ done: false, value });
    }
    if (this.#closed) return Promise.resolve(OVER);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Leaves it: what waits is dropped. */
  return(): Promise<IteratorResult<E, void>> {
    this.#waiting.length = 0;
    this.close();
    return Promise.resolve(OVER);
  }

  /** Leaves it, and rejects with `error`, as a generator does. */
  throw(error: unknown): Promise<IteratorResult<E, void>> {
    void this.return();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  protected get backlog(): number {
    return this.#waiting.length;
  }

  /** For the reader who waits, or the next one. */
  protected offer(event: E): void {
    if (this.#closed) return;
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#waiting.push(event);
      return;
    }
    this.taken(event);
    taker({ done: false, value: event });
  }

  /** A reader has this one now. */
  protected taken(_event: E): void {}

  /** It is closed, by whichever way. */
  protected left(): void {}
}
