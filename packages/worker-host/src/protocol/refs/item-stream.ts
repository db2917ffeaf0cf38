import { StreamReader } from "./stream-reader.js";

/** Opens the stream that `reader` reads. What fails at once fails the reader. */
export type OpenStream = (reader: StreamReader) => void;

/** A reader that its user has lost would hold the producer's generator for ever. */
const abandoned = new FinalizationRegistry<StreamReader>((reader) => reader.cancel());

/**
 * What `ref.stream` returns. Opens the stream with the first `next`, as a generator's body begins with it; so one that
 * nothing reads costs nothing. The reader holds no reference to it: see `abandoned`.
 */
export class ItemStream<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #reader: StreamReader;
  #open: OpenStream | undefined;

  constructor(id: string, open: OpenStream) {
    this.#reader = new StreamReader(id);
    this.#open = open;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#open !== undefined) this.#begin(this.#open);
    return this.#reader.next(this) as Promise<IteratorResult<T, undefined>>;
  }

  /** Ends the stream; the handler's generator runs its `finally`, which this does not wait for. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#open = undefined;
    abandoned.unregister(this.#reader);
    this.#reader.cancel();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #begin(open: OpenStream): void {
    this.#open = undefined;
    const reader = this.#reader;
    abandoned.register(this, reader, reader);
    try {
      open(reader);
    } catch (error) {
      reader.failed(error);
    }
  }
}
