/** How `map` runs its tasks. */
export interface MapOptions {
  /**
   * Tasks under way at most, counted from when their item is taken from the source until their result has been read: 1
   * to 65 536. Default: as many as the pool runs at a time; in an actor, as many as the machine runs at a time.
   */
  readonly concurrency?: number | undefined;
  /** Results come in the order of their items. Default true; with false each comes as soon as it is there. */
  readonly ordered?: boolean | undefined;
  /** Aborting it ends the iteration with ERR_CALL_ABORTED, and its tasks with it. */
  readonly signal?: AbortSignal | undefined;
  /** The export of the pool's module to run. Default: its default export. */
  readonly name?: string | undefined;
}

/** A task whose result has not been read yet. */
interface Item<R> {
  done: boolean;
  result: R | undefined;
}

type Source<T> = Iterable<T | PromiseLike<T>> | AsyncIterable<T>;
type SourceIterator<T> = Iterator<T | PromiseLike<T>> | AsyncIterator<T>;

/**
 * The results of `run` over the items of a source. The reader pulls: the next item is taken when fewer than
 * `concurrency` results are due or unread, so neither the source nor the results pile up.
 */
export class MappedTasks<T, R> implements AsyncIterableIterator<R> {
  readonly #source: SourceIterator<T>;
  readonly #run: (task: T, signal: AbortSignal) => Promise<R>;
  readonly #concurrency: number;
  readonly #ordered: boolean;
  readonly #release: () => void;
  /** Ends the tasks under way. */
  readonly #end = new AbortController();
  /** In the order in which results are read: ordered, all tasks; otherwise those that are done. */
  readonly #items: Item<R>[] = [];
  /** Tasks under way, and results that are unread. */
  #due = 0;
  /** Of several `next()` at a time, the order. */
  #turn: Promise<unknown> = Promise.resolve();
  #isPulling = false;
  #isExhausted = false;
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;
  #wake: () => void = () => {};

  /**
   * @param whenGivenUp calls its argument with the error when the caller gives the whole up; returns what stops that
   */
  constructor(
    source: Source<T>,
    run: (task: T, signal: AbortSignal) => Promise<R>,
    { concurrency, ordered }: { readonly concurrency: number; readonly ordered: boolean },
    whenGivenUp: (fail: (error: unknown) => void) => () => void,
  ) {
    this.#source = iteratorOf(source);
    this.#run = run;
    this.#concurrency = concurrency;
    this.#ordered = ordered;
    this.#release = whenGivenUp((error) => this.#fail(error));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<R, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Ends the tasks under way and the source. */
  async return(): Promise<IteratorResult<R, undefined>> {
    await this.#finish(true);
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<R, undefined>> {
    await this.#finish(true).catch(() => {});
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#finish(true);
  }

  async #next(): Promise<IteratorResult<R, undefined>> {
    while (!this.#isOver) {
      if (this.#failure !== undefined) {
        const { error } = this.#failure;
        await this.#finish(true).catch(() => {});
        throw error;
      }
      if (this.#items[0]?.done === true) {
        const { result } = this.#items.shift() as Item<R>;
        this.#due--;
        this.#pull();
        return { done: false, value: result as R };
      }
      if (this.#isExhausted && this.#due === 0) {
        await this.#finish(false);
        break;
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#pull();
      await woken;
    }
    return { done: true, value: undefined };
  }

  /** Takes the next item from the source, and then the one after it, while there is room. */
  #pull(): void {
    if (this.#isPulling || this.#isExhausted || this.#isOver || this.#failure !== undefined) return;
    if (this.#due >= this.#concurrency) return;
    this.#isPulling = true;
    this.#take().then(
      (taken) => {
        this.#isPulling = false;
        // After the end an item that is on its way is not run.
        if (this.#isOver || this.#failure !== undefined) return;
        if (taken.done === true) {
          this.#isExhausted = true;
          this.#wake();
        } else {
          this.#start(taken.value);
          this.#pull();
        }
      },
      (error: unknown) => {
        this.#isPulling = false;
        this.#fail(error);
      },
    );
  }

  async #take(): Promise<IteratorResult<T>> {
    let taken: IteratorResult<T | PromiseLike<T>>;
    try {
      taken = await this.#source.next();
    } catch (error) {
      // It has closed itself.
      this.#isExhausted = true;
      throw error;
    }
    return taken.done === true ? taken : { done: false, value: await taken.value };
  }

  #start(task: T): void {
    const item: Item<R> = { done: false, result: undefined };
    this.#due++;
    if (this.#ordered) this.#items.push(item);
    this.#run(task, this.#end.signal).then(
      (result) => {
        if (this.#isOver) return;
        item.done = true;
        item.result = result;
        if (!this.#ordered) this.#items.push(item);
        this.#wake();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure ??= { error };
    this.#end.abort();
    this.#wake();
  }

  async #finish(early: boolean): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
    this.#items.length = 0;
    this.#end.abort();
    this.#wake();
    if (!early || this.#isExhausted) return;
    const closed = this.#source.return?.();
    // A generator that waits ends only after that, and what it waits for may never come.
    if (this.#isPulling) Promise.resolve(closed).catch(() => {});
    else await closed;
  }
}

function iteratorOf<T>(source: Source<T>): SourceIterator<T> {
  const asynchronous = (source as AsyncIterable<T>)[Symbol.asyncIterator];
  if (asynchronous !== undefined) return asynchronous.call(source);
  return (source as Iterable<T | PromiseLike<T>>)[Symbol.iterator]();
}
