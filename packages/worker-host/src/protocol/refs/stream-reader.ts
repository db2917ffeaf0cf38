import { rejectionOf } from "../errors/remote-error.js";
import { wasRefused } from "./refusal.js";
import { FIRST_WINDOW, MAX_WINDOW, WINDOW_BYTES } from "./stream-window.js";

/** How a stream has ended. */
export type Outcome = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

/** The reader's way to the producer of an open stream. Neither throws. */
export interface StreamLink {
  /** The producer may send `items` more, and `bytes` of what it has sent have been read. */
  grant(items: number, bytes: number): void;
  /** Called once: the reader takes no more. `isCancelled`: the producer does not know of it. */
  closed(outcome: Outcome, isCancelled: boolean): void;
}

interface Batch {
  readonly items: readonly unknown[];
  readonly bytes: number;
}

interface Waiter {
  /** What waits. The reference keeps it from being collected meanwhile. */
  readonly owner: object;
  resolve(result: IteratorResult<unknown, undefined> | Promise<never>): void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });

/**
 * The reading side of one stream: keeps the items that have come and are not read, in their order, and grants credit as
 * they are read. It knows no thread: what carries the records calls `received`, `finished` and `failed`.
 */
export class StreamReader {
  #link: StreamLink | undefined;
  /** What `next` reads, from `#at` on. */
  #batch: Batch = { items: [], bytes: 0 };
  #at = 0;
  #queued: Batch[] = [];
  #waiters: Waiter[] = [];
  /** The number of the record that comes next; those that came before it by another way wait in `#early`. */
  #expected = 0;
  #early: Map<number, Batch> | undefined;
  /** How many records there are, once the end is known, and how it ended. */
  #last: { readonly records: number; readonly outcome: Outcome } | undefined;
  #outcome: Outcome | undefined;
  #window = FIRST_WINDOW;
  #read = 0;
  #readBytes = 0;
  #starved = false;
  readonly #id: string;
  /** Opens the stream with another actor, because the one before has not accepted it. Throws when there is no other. */
  retry: (() => void) | undefined;

  /** `id` is the producer's path. */
  constructor(id: string) {
    this.#id = id;
  }

  /** False once nothing more comes. */
  get isOpen(): boolean {
    return this.#outcome === undefined;
  }

  /** The producer has answered. */
  get hasBegun(): boolean {
    return this.#expected > 0 || this.#early !== undefined;
  }

  /** The stream has been opened. A producer that failed at once has no link. */
  linked(link: StreamLink): void {
    this.#link = link;
  }

  next(owner: object): Promise<IteratorResult<unknown, undefined>> {
    const { items } = this.#batch;
    if (this.#at < items.length) {
      const result = { value: items[this.#at++], done: false as const };
      this.#read++;
      if (this.#at === items.length) this.#batchRead();
      else if (this.#read >= this.#window >> 1) this.#grant();
      return Promise.resolve(result);
    }
    const outcome = this.#outcome;
    if (outcome !== undefined) {
      // An error is thrown once; a generator has ended after that, too.
      if (!outcome.failed) return Promise.resolve(DONE);
      this.#outcome = { failed: false };
      return rejectionOf(outcome.error, this.#id);
    }
    this.#starved = true;
    return new Promise((resolve) => {
      this.#waiters.push({ owner, resolve });
    });
  }

  /** The reader takes no more: the producer ends its generator. Items that have come are dropped. */
  cancel(outcome: Outcome = { failed: false }): void {
    this.#batch = NOTHING;
    this.#at = 0;
    this.#queued = [];
    if (this.#outcome === undefined) this.#end(outcome, true);
    else this.#outcome = { failed: false };
  }

  /** A record of items, which is the stream's record `number`. */
  received(number: number, items: readonly unknown[], bytes: number): void {
    if (this.#outcome !== undefined) return;
    if (number !== this.#expected) {
      this.#early ??= new Map();
      this.#early.set(number, { items, bytes });
      return;
    }
    this.#take({ items, bytes });
    for (let batch = this.#takeEarly(); batch !== undefined; batch = this.#takeEarly()) this.#take(batch);
    this.#endIfComplete();
  }

  /** The producer has ended after `records` records, some of which may still come. */
  finished(records: number, outcome: Outcome): void {
    this.#last ??= { records, outcome };
    this.#endIfComplete();
  }

  /** Nothing comes any more: what has come is still read, then the error is thrown. */
  failed(error: unknown): void {
    if (this.#outcome !== undefined) return;
    if (this.retry === undefined || !wasRefused(error)) {
      this.#end({ failed: true, error });
      return;
    }
    this.#link = undefined;
    try {
      this.retry();
    } catch (last) {
      this.#end({ failed: true, error: last });
    }
  }

  #take(batch: Batch): void {
    this.#expected = (this.#expected + 1) & 0x7fff_ffff;
    if (batch.items.length === 0) return;
    if (this.#at < this.#batch.items.length) {
      this.#queued.push(batch);
      return;
    }
    this.#batch = batch;
    this.#at = 0;
    while (this.#waiters.length > 0 && this.#at < this.#batch.items.length) {
      (this.#waiters.shift() as Waiter).resolve({ value: batch.items[this.#at++], done: false });
      this.#read++;
    }
    if (this.#at === batch.items.length) this.#batchRead();
    else if (this.#read >= this.#window >> 1) this.#grant();
  }

  #takeEarly(): Batch | undefined {
    const batch = this.#early?.get(this.#expected);
    if (batch !== undefined) this.#early?.delete(this.#expected);
    return batch;
  }

  #batchRead(): void {
    this.#readBytes += this.#batch.bytes;
    this.#batch = this.#queued.shift() ?? NOTHING;
    this.#at = 0;
    if (this.#read >= this.#window >> 1 || this.#readBytes >= WINDOW_BYTES >> 1) this.#grant();
  }

  #grant(): void {
    let items = this.#read;
    if (this.#starved && this.#window < MAX_WINDOW) {
      items += this.#window;
      this.#window *= 2;
    }
    this.#starved = false;
    const bytes = this.#readBytes;
    this.#read = 0;
    this.#readBytes = 0;
    this.#link?.grant(items, bytes);
  }

  #endIfComplete(): void {
    const last = this.#last;
    if (last !== undefined && last.records === this.#expected) this.#end(last.outcome);
  }

  #end(outcome: Outcome, isCancelled = false): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    const link = this.#link;
    this.#link = undefined;
    this.#early = undefined;
    link?.closed(outcome, isCancelled);
    const [first, ...others] = this.#waiters.splice(0);
    if (first === undefined) return;
    if (outcome.failed) {
      this.#outcome = { failed: false };
      first.resolve(rejectionOf(outcome.error, this.#id));
    } else first.resolve(DONE);
    for (const waiter of others) waiter.resolve(DONE);
  }
}

const NOTHING: Batch = { items: [], bytes: 0 };
