import { Queue } from "../protocol/calls/queue.js";
import type { Payload } from "../protocol/ring/payload.js";
import type { Codec } from "../protocol/values/codec.js";
import type { LoopState } from "./loop-state.js";
import { OutgoingStream, type StreamHost, sourceOf } from "./outgoing-stream.js";
import type { ReplyTo } from "./reply-to.js";

/** How long the end of an actor waits for generators that wait for something else than their signal. */
const GRACE_MS = 100;
// Taken when this module loads, because a test may replace it by a fake one later.
const { setTimeout: after } = globalThis;

/** What an actor's streams need around them: of a thread's loop, or of the testing kit. */
export interface StreamParts {
  readonly codec: Codec;
  readonly loopState: LoopState;
  /** There is something to do again. */
  schedule(): void;
  /** Sends a record to the reader; `number` counts the stream's records. */
  send(to: ReplyTo, kind: number, number: number, payload: Payload): void;
  /** Wants `readerGone` called when the process with this uid has ended. */
  watch(readerUid: number): void;
  unwatch(readerUid: number): void;
  /** For statistics. */
  open(count: number): void;
  sent(items: number): void;
  /** Code of the actor runs for this method, from `begin` to `end`. */
  begin(method: string): void;
  end(): void;
  /** A generator has thrown. With `fail`, the error may go to its reader; otherwise no reader waits for it. */
  threw(error: unknown, method: string, fail: ((error: unknown) => void) | undefined): void;
}

/** The streams between one reader and the actor. */
interface Reader {
  isWatched: boolean;
  readonly open: Map<number, OutgoingStream>;
  /** The correlation of the stream that was opened last. A reader counts them down. */
  last: number | undefined;
  /** Streams that were given up before their message was handled. */
  readonly cancelled: Set<number>;
}

/** The open streams of one incarnation. Each has its turn beside the messages: see `ActorLoop`. */
export class Streams implements StreamHost {
  readonly #parts: StreamParts;
  readonly #readers = new Map<number, Reader>();
  readonly #queue = new Queue<OutgoingStream>();
  #size = 0;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** Whether a stream waits for its turn, which it cannot have while `mayPull` is false. */
  get isReady(): boolean {
    return this.#queue.length > 0;
  }

  get size(): number {
    return this.#size;
  }

  get codec(): Codec {
    return this.#parts.codec;
  }

  get mayPull(): boolean {
    const { busy, frozen, ended, stopRequested, waits } = this.#parts.loopState;
    return !busy && !frozen && !ended && !waits && !stopRequested;
  }

  get stops(): boolean {
    return this.#parts.loopState.stopRequested;
  }

  /** Gives the stream that has waited longest its turn. */
  attendNext(): void {
    const stream = this.#queue.shift();
    if (stream === undefined) return;
    stream.isQueued = false;
    stream.attend();
  }

  /** Opens the stream to `to` that a handler has answered with. Undefined: `value` is no stream. Throws what its iterable throws. */
  open(to: ReplyTo, method: string, value: unknown): OutgoingStream | undefined {
    const source = sourceOf(value);
    if (source === undefined) return undefined;
    const stream = new OutgoingStream(to, method, source, this);
    const reader = this.#readerOf(to.uid);
    reader.open.set(to.correlation, stream);
    if (!reader.isWatched) {
      reader.isWatched = true;
      this.#parts.watch(to.uid);
    }
    this.#parts.open(++this.#size);
    return stream;
  }

  /** Ends what a handler has answered with where nothing reads it. */
  discard(value: unknown): void {
    void (async () => {
      const { cancel } = value as { cancel?: unknown };
      if (typeof cancel === "function") await cancel.call(value);
      else await sourceOf(value)?.return?.();
    })().catch(() => {});
  }

  /** Sends what has been taken from the generators: the thread exits in the middle of a turn. */
  flush(): void {
    for (const stream of this.#all()) stream.flushLast();
  }

  /** The reader takes no more, or did not wait for the stream to begin. */
  cancel(readerUid: number, correlation: number): void {
    const reader = this.#readerOf(readerUid);
    const stream = reader.open.get(correlation);
    if (stream !== undefined) {
      void stream.end();
      return;
    }
    // One that was opened before has ended meanwhile. One that was not waits in the mailbox.
    if (reader.last === undefined || isNewer(correlation, reader.last)) reader.cancelled.add(correlation);
  }

  /** The message that opens a stream is about to be handled. True when its reader has given it up. */
  takeCancelled({ uid, correlation }: ReplyTo): boolean {
    const reader = this.#readerOf(uid);
    reader.last = correlation;
    if (reader.cancelled.size === 0) return false;
    const found = reader.cancelled.delete(correlation);
    for (const other of reader.cancelled) if (!isNewer(other, correlation)) reader.cancelled.delete(other);
    return found;
  }

  granted(readerUid: number, correlation: number, items: number, bytes: number): void {
    this.#readers.get(readerUid)?.open.get(correlation)?.granted(items, bytes);
  }

  /** The incarnation that read has ended. */
  readerGone(readerUid: number): void {
    const reader = this.#readers.get(readerUid);
    this.#readers.delete(readerUid);
    if (reader === undefined) return;
    for (const stream of [...reader.open.values()]) void stream.end();
  }

  /** The actor is asked to stop: generators that look at their signal may come to an end. */
  abort(): void {
    for (const stream of this.#all()) stream.controller?.abort();
  }

  /**
   * Ends all streams, because this incarnation ends, or another thread goes on with the actor: then with `error`, which
   * tells their readers. Calls `then` when the generators' `finally` blocks have run.
   */
  endAll(then: () => void, error?: unknown): void {
    if (this.#size === 0) {
      this.#unwatchAll();
      then();
      return;
    }
    const ends: Promise<void>[] = [];
    let waiting = false;
    for (const stream of this.#all()) {
      if (error === undefined) stream.flushLast();
      else stream.fail(error);
      const end = stream.end();
      if (stream.isPulling) waiting = true;
      ends.push(end);
    }
    this.#unwatchAll();
    if (!waiting) {
      void Promise.all(ends).then(then);
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = after(resolve, GRACE_MS);
    });
    void Promise.race([Promise.all(ends), grace]).then(() => {
      clearTimeout(timer);
      then();
    });
  }

  /** Keys of streams that wait in the mailbox and were given up. */
  get cancelled(): readonly string[] {
    return [...this.#readers].flatMap(([uid, { cancelled }]) => [...cancelled].map((number) => `${uid}:${number}`));
  }

  attend(stream: OutgoingStream): void {
    if (stream.isQueued) return;
    stream.isQueued = true;
    this.#queue.push(stream);
    this.#parts.schedule();
  }

  send(to: ReplyTo, kind: number, number: number, payload: Payload): void {
    this.#parts.send(to, kind, number, payload);
  }

  begin({ method }: OutgoingStream): void {
    this.#parts.begin(method);
  }

  end(): void {
    this.#parts.end();
  }

  sent(items: number): void {
    this.#parts.sent(items);
  }

  closed({ to }: OutgoingStream): void {
    this.#readers.get(to.uid)?.open.delete(to.correlation);
    this.#parts.open(--this.#size);
  }

  threw(stream: OutgoingStream, error: unknown): void {
    this.#parts.threw(error, stream.method, (failure) => stream.fail(failure));
  }

  threwLate({ method }: OutgoingStream, error: unknown): void {
    this.#parts.threw(error, method, undefined);
  }

  #all(): OutgoingStream[] {
    return [...this.#readers.values()].flatMap(({ open }) => [...open.values()]);
  }

  #unwatchAll(): void {
    for (const [readerUid, reader] of this.#readers) {
      if (reader.isWatched) this.#parts.unwatch(readerUid);
      reader.isWatched = false;
    }
  }

  #readerOf(uid: number): Reader {
    let reader = this.#readers.get(uid);
    if (reader === undefined) {
      reader = { isWatched: false, open: new Map(), last: undefined, cancelled: new Set() };
      this.#readers.set(uid, reader);
    }
    return reader;
  }
}

/** A reader's numbers count down, and begin again at -1 after the lowest. */
function isNewer(correlation: number, than: number): boolean {
  return (correlation - than) << 1 < 0;
}
