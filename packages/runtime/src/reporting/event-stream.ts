import { whenAborted } from "@mini-otp/worker-host/protocol/calls";

/** How many events may wait to be taken. Further events are counted as missed. */
export const BACKLOG = 1024;

const OVER = Object.freeze({ done: true, value: undefined });

/**
 * Events for one reader, in order, from the construction until the stream is closed, left or aborted. Each `next` gets
 * an event of its own, also when several calls wait at a time. Events that wait when it is closed can still be taken.
 * The subclass must not let more than `BACKLOG` wait.
 */
export abstract class EventStream<E> implements AsyncGenerator<E, void, undefined> {
  readonly #waiting: E[] = [];
  readonly #takers: ((result: IteratorResult<E, void>) => void)[] = [];
  readonly #release: () => void = () => {};
  #closed = false;

  /** With a signal that is aborted already the stream is closed from the start, and `left` is not called. */
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

  /** Leaves the stream: events that wait are dropped. */
  return(): Promise<IteratorResult<E, void>> {
    this.#waiting.length = 0;
    this.close();
    return Promise.resolve(OVER);
  }

  /** Leaves the stream, and rejects with `error`, as a generator does. */
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

  /** Gives an event to the call of `next` that waits, or keeps it for the next call. */
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

  /** Called when a reader has got this event. */
  protected taken(_event: E): void {}

  /** Called when the stream is closed, left or aborted. */
  protected left(): void {}
}
