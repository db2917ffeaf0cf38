import { EventEmitter } from "node:events";
import { BUFFERED_ENOUGH } from "../core/connection.js";
import type { Wire } from "../core/hub.js";

/** What main tells a partition about its sockets, and a partition main: triples of kind, socket and a number. */
export const OPEN = 0;
/** The number: how many of the bytes beside are this socket's. */
export const DATA = 1;
export const CLOSED = 2;
/** The number: how many bytes the client has taken. */
export const TAKEN = 3;
export const PAUSE = 4;
export const RESUME = 5;
export const END = 6;
export const DESTROY = 7;

export interface Batch {
  readonly events: readonly number[];
  /** Of all its DATA, one after the other. */
  readonly bytes: Uint8Array;
}

/** With this much in one batch the next begins. */
export const BATCH_BYTES = 256 * 1024;

/** Collects what goes to the other thread. */
export class BatchWriter {
  readonly #chunks: Uint8Array[] = [];
  #events: number[] = [];
  bytes = 0;

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  get isFull(): boolean {
    return this.bytes >= BATCH_BYTES;
  }

  add(kind: number, socket: number, n = 0): void {
    this.#events.push(kind, socket, n);
  }

  addData(socket: number, bytes: Uint8Array): void {
    this.#events.push(DATA, socket, bytes.byteLength);
    this.#chunks.push(bytes);
    this.bytes += bytes.byteLength;
  }

  take(): Batch {
    const batch = { events: this.#events, bytes: Buffer.concat(this.#chunks) };
    this.#events = [];
    this.#chunks.length = 0;
    this.bytes = 0;
    return batch;
  }
}

export function readBatch(
  { events, bytes }: Batch,
  visit: (kind: number, socket: number, n: number, data: Uint8Array) => void,
): void {
  const none = bytes.subarray(0, 0);
  let at = 0;
  for (let i = 0; i < events.length; i += 3) {
    const kind = events[i];
    const n = events[i + 2];
    visit(kind, events[i + 1], n, kind === DATA ? bytes.subarray(at, at + n) : none);
    if (kind === DATA) at += n;
  }
}

/**
 * A socket of main's, as its partition sees it. It emits `readable` when bytes have come in or the socket has closed, and
 * `drain` when the client has taken what was written. What has come in stays here until it is read.
 */
export class RelayedWire extends EventEmitter implements Wire {
  readonly socket: number;
  readonly #onOutput: (wire: RelayedWire) => void;
  #chunks: Uint8Array[] = [];
  #isDirty = false;
  #isPaused = false;
  #saysPaused = false;
  #ending: typeof END | typeof DESTROY | undefined;
  #hasEnded = false;
  #incoming: Uint8Array[] = [];
  #isSignalled = false;
  /** So much is under way that the connection waits for room. */
  #needsDrain = false;
  buffered = 0;
  isClosed = false;

  constructor(socket: number, onOutput: (wire: RelayedWire) => void) {
    super();
    this.socket = socket;
    this.#onOutput = onOutput;
  }

  write(bytes: Uint8Array): void {
    if (this.#ending !== undefined) return;
    this.#chunks.push(bytes);
    this.buffered += bytes.byteLength;
    this.#needsDrain ||= this.buffered >= BUFFERED_ENOUGH;
    this.#touch();
  }

  /** From main: bytes that the client has sent. */
  push(bytes: Uint8Array): void {
    this.#incoming.push(bytes);
    this.#signal();
  }

  /** What has come in since the last time. */
  read(): Uint8Array[] {
    const incoming = this.#incoming;
    this.#incoming = [];
    this.#isSignalled = false;
    return incoming;
  }

  /** From main: the socket is gone. */
  close(): void {
    this.isClosed = true;
    this.#signal();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#touch();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#touch();
  }

  end(): void {
    this.#ending ??= END;
    this.#touch();
  }

  destroy(): void {
    this.#ending = DESTROY;
    this.#touch();
  }

  taken(bytes: number): void {
    this.buffered -= bytes;
    if (!this.#needsDrain || this.buffered >= BUFFERED_ENOUGH) return;
    this.#needsDrain = false;
    this.emit("drain");
  }

  /** Puts what main has to do into the batch. False when the batch is full before. */
  moveTo(batch: BatchWriter): boolean {
    if (this.#ending !== DESTROY) {
      let moved = 0;
      while (moved < this.#chunks.length && !batch.isFull) batch.addData(this.socket, this.#chunks[moved++]);
      if (moved < this.#chunks.length) {
        this.#chunks = this.#chunks.slice(moved);
        return false;
      }
    }
    this.#chunks = [];
    this.#isDirty = false;
    if (this.#hasEnded) return true;
    if (this.#saysPaused !== this.#isPaused) {
      this.#saysPaused = this.#isPaused;
      batch.add(this.#isPaused ? PAUSE : RESUME, this.socket);
    }
    if (this.#ending !== undefined) {
      this.#hasEnded = true;
      batch.add(this.#ending, this.socket);
    }
    return true;
  }

  /** Once until it is read. */
  #signal(): void {
    if (this.#isSignalled) return;
    this.#isSignalled = true;
    this.emit("readable");
  }

  #touch(): void {
    if (this.#isDirty || this.#hasEnded) return;
    this.#isDirty = true;
    this.#onOutput(this);
  }
}
