import { KIND_FAILURE, KIND_ITEMS, KIND_REPLY } from "../protocol/memory/record-descriptor.js";
import { BATCH_BYTES, FIRST_WINDOW, MAX_BATCH, WINDOW_BYTES } from "../protocol/refs/stream-window.js";
import type { Payload } from "../protocol/ring/payload.js";
import type { Codec } from "../protocol/values/codec.js";
import { encodeForeign, payloadOf } from "../protocol/values/encoded.js";
import type { ReplyTo } from "./reply-to.js";

/** Items taken in one go, and for how long: then other messages have their turn. */
const SLICE_ITEMS = 256;
const SLICE_MS = 1;

/** What a stream's items come from: a generator, or anything with its methods. */
export interface ItemSource {
  next(): unknown;
  return?(): unknown;
}

/** An item that cannot be carried, where another process knows of that: the stream fails with this error. */
export class RefusedItem {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** What a stream needs of the actor whose handler has opened it. */
export interface StreamHost {
  readonly codec: Codec;
  /** False while a message is being handled, the actor waits or is asked to stop: its generators wait too. */
  readonly mayPull: boolean;
  /** Has `attend` called when it is this stream's turn. */
  attend(stream: OutgoingStream): void;
  send(to: ReplyTo, kind: number, number: number, payload: Payload): void;
  /** Code of the actor is about to run, for the stream's method; and has run. */
  begin(stream: OutgoingStream): void;
  end(): void;
  sent(items: number): void;
  /** Nothing more comes of it. */
  closed(stream: OutgoingStream): void;
  /** The generator has thrown: fails the stream, or ends the actor. */
  threw(stream: OutgoingStream, error: unknown): void;
  /** It has thrown after the stream's end, in its `finally`. */
  threwLate(stream: OutgoingStream, error: unknown): void;
  /** The actor is asked to stop. */
  readonly stops: boolean;
}

/**
 * The sending side of one stream: takes items from the handler's generator as far as its reader has granted, in slices,
 * and sends them in records of many. Never waits for the reader, and never runs the generator further than a window.
 */
export class OutgoingStream {
  readonly to: ReplyTo;
  readonly method: string;
  /** Of the signal that the handler took from `ctx.signal`, if it did. */
  controller: AbortController | undefined;
  isQueued = false;
  readonly #host: StreamHost;
  readonly #source: ItemSource;
  #credit = FIRST_WINDOW;
  /** Bytes that were sent and, as far as is known, not read. */
  #bytesOut = 0;
  #items: unknown[] = [];
  /** Large bytes and texts among them, as far as can be seen without a look inside. */
  #itemBytes = 0;
  /** Follows the size of the items: the first record, of one item, measures it. */
  #perRecord = 1;
  #records = 0;
  /** The generator has been asked for an item and has not given it. */
  #isPulling = false;
  #isOver = false;
  #taken = 0;
  #sliceEnd = 0;

  constructor(to: ReplyTo, method: string, source: ItemSource, host: StreamHost) {
    this.to = to;
    this.method = method;
    this.#source = source;
    this.#host = host;
  }

  /** The generator waits for something of its own. */
  get isPulling(): boolean {
    return this.#isPulling;
  }

  granted(items: number, bytes: number): void {
    this.#credit += items;
    this.#bytesOut -= bytes;
    if (this.#hasCredit && !this.#isPulling && !this.#isOver) this.#host.attend(this);
  }

  /** Takes a slice of items; sends what has been taken while the generator waits. */
  attend(): void {
    if (this.#isOver) return;
    if (this.#isPulling || !this.#hasCredit) {
      this.#flush();
    } else if (this.#host.mayPull) {
      this.#taken = 0;
      this.#sliceEnd = performance.now() + SLICE_MS;
      this.#pull();
    } else {
      this.#flush();
      this.#host.attend(this);
    }
  }

  /** Ends the stream with an error, and the generator. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#flush();
    if (this.#isOver) return;
    this.#close();
    this.#sendFailure(error);
  }

  /** Ends the generator. Settles when its `finally` has run; never rejects. */
  async end(): Promise<void> {
    this.#close();
    this.controller?.abort();
    try {
      await this.#source.return?.();
    } catch (error) {
      this.#host.threwLate(this, error);
    }
  }

  /** Sends what has been taken. The actor ends, and its exit tells the reader why. */
  flushLast(): void {
    if (!this.#isOver) this.#flush();
  }

  get #hasCredit(): boolean {
    return this.#credit > 0 && this.#bytesOut < WINDOW_BYTES;
  }

  #pull(): void {
    const host = this.#host;
    let step: unknown;
    do {
      this.#isPulling = true;
      host.begin(this);
      try {
        step = this.#source.next();
      } catch (error) {
        host.end();
        this.#threw(error);
        return;
      }
      host.end();
      if (typeof (step as { then?: unknown } | undefined)?.then === "function") {
        (step as PromiseLike<unknown>).then(this.#stepped, this.#threw);
        return;
      }
    } while (this.#take(step));
  }

  readonly #stepped = (step: unknown): void => {
    if (this.#take(step)) this.#pull();
  };

  /** Takes what the generator has given. True when it may be asked for more at once. */
  #take(step: unknown): boolean {
    this.#isPulling = false;
    if (this.#isOver) return false;
    if (typeof step !== "object" || step === null) {
      this.#threw(new TypeError(`method=${this.method}: next() of its iterator has returned no object`));
      return false;
    }
    const { done, value } = step as { done?: unknown; value?: unknown };
    if (done === true) {
      this.#finish();
      return false;
    }
    if (value instanceof RefusedItem) {
      this.fail(value.error);
      void this.end();
      return false;
    }
    const items = this.#items;
    items.push(value);
    this.#credit--;
    this.#taken++;
    if (typeof value === "string") this.#itemBytes += value.length;
    else if (typeof value === "object" && ArrayBuffer.isView(value)) this.#itemBytes += value.byteLength;
    const isFull = items.length >= this.#perRecord || this.#itemBytes >= BATCH_BYTES;
    if (isFull || !this.#hasCredit || !this.#host.mayPull) this.#flush();
    // In the loop's next turn: it sends these items, should the generator wait by then.
    else if (items.length === 1) this.#host.attend(this);
    if (this.#isOver || !this.#hasCredit) return false;
    if (!this.#isSliceOver() && this.#host.mayPull) return true;
    this.#host.attend(this);
    return false;
  }

  /** A clock read costs a fifth of a small item, so it is done after the first, second, fourth, eighth … item. */
  #isSliceOver(): boolean {
    const taken = this.#taken;
    if (taken >= SLICE_ITEMS) return true;
    return (taken & (taken - 1)) === 0 && performance.now() >= this.#sliceEnd;
  }

  readonly #threw = (error: unknown): void => {
    this.#isPulling = false;
    if (this.#isOver) this.#host.threwLate(this, error);
    else {
      this.#flush();
      this.#host.threw(this, error);
    }
  };

  #finish(): void {
    this.#flush();
    if (this.#isOver) return;
    this.#close();
    // A generator that leaves its loop because the actor stops has not come to its end: the exit is what ends it.
    if (this.controller?.signal.aborted === true && this.#host.stops) return;
    const { codec } = this.#host;
    this.#host.send(this.to, KIND_REPLY, this.#records, codec.encodeValue(undefined));
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#items = [];
    this.#host.closed(this);
  }

  /** The first record may be empty: it tells the reader that the stream has begun. */
  #flush(): void {
    const items = this.#items;
    if (items.length === 0 && this.#records > 0) return;
    this.#items = [];
    this.#itemBytes = 0;
    this.#send(items);
  }

  #send(items: readonly unknown[]): void {
    let payload: Payload;
    try {
      payload = this.#host.codec.encodeArgs(items);
    } catch {
      this.#sendUpToBroken(items);
      return;
    }
    const { length } = items;
    if (length > 1 && payload.length > 2 * BATCH_BYTES) {
      this.#send(items.slice(0, length >> 1));
      this.#send(items.slice(length >> 1));
      return;
    }
    if (length > 0) {
      const fitting = Math.floor((BATCH_BYTES * length) / Math.max(1, payload.length));
      this.#perRecord = Math.max(1, Math.min(MAX_BATCH, fitting, 2 * this.#perRecord));
      this.#bytesOut += payload.length;
      this.#host.sent(length);
    }
    this.#host.send(this.to, KIND_ITEMS, this.#records, payload);
    this.#records = (this.#records + 1) & 0x7fff_ffff;
  }

  /** One of the items cannot be carried: sends those before it, fails the stream with it and ends the generator. */
  #sendUpToBroken(items: readonly unknown[]): void {
    const { codec } = this.#host;
    for (const item of items) {
      let failure: unknown;
      try {
        codec.encodeValue(item, undefined, "item");
        this.#send([item]);
        continue;
      } catch (error) {
        failure = error;
      }
      this.#close();
      this.#sendFailure(failure);
      void this.end();
      return;
    }
  }

  #sendFailure(error: unknown): void {
    const { codec } = this.#host;
    let payload: Payload;
    try {
      payload = codec.encodeValue(error);
    } catch {
      payload = payloadOf(encodeForeign(codec, error));
    }
    this.#host.send(this.to, KIND_FAILURE, this.#records, payload);
  }
}

/** The source of a handler's answer, if that is a stream. */
export function sourceOf(value: unknown): ItemSource | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const iterable = value as { [Symbol.asyncIterator]?(): ItemSource; next?: unknown; return?: unknown };
  if (typeof iterable[Symbol.asyncIterator] === "function") return iterable[Symbol.asyncIterator]?.();
  // A generator; an array or a Map is a value.
  if (typeof iterable.next === "function" && typeof iterable.return === "function" && Symbol.iterator in value)
    return value as unknown as ItemSource;
  return undefined;
}

/** True for what `ref.stream` reads. Asks nothing of the value but its type. */
export function isStream(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  try {
    const { next, return: end } = value as { next?: unknown; return?: unknown };
    const isGenerator = typeof next === "function" && typeof end === "function" && Symbol.iterator in value;
    return isGenerator || typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === "function";
  } catch {
    return false;
  }
}
