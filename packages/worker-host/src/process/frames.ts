import { readSync, writeSync } from "node:fs";
import { deserialize, serialize } from "node:v8";

/*
 * Messages in a pipe: the length of each, as four bytes, and then V8's form of it.
 */

const HEAD_BYTES = 4;

/** One write, so that a process that dies leaves at most one message cut. */
export function frameOf(message: object): Buffer {
  const body = serialize(message);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  frame.writeUInt32LE(body.length, 0);
  body.copy(frame, HEAD_BYTES);
  return frame;
}

/** Takes messages out of the chunks of a stream. */
export class FrameReader {
  readonly #take: (message: unknown) => void;
  readonly #mostBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** A longer message than `mostBytes` is none. */
  constructor(take: (message: unknown) => void, mostBytes = Infinity) {
    this.#take = take;
    this.#mostBytes = mostBytes;
  }

  /** Throws what `take` throws, and an Error for bytes that are no message. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= HEAD_BYTES) {
      // A large message comes in many chunks, which are put together once.
      const length = this.#length();
      if (length > this.#mostBytes) throw new Error(`a message of ${length} bytes`);
      if (this.#bytes < HEAD_BYTES + length) return;
      const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
      const end = HEAD_BYTES + length;
      this.#chunks = all.length === end ? [] : [all.subarray(end)];
      this.#bytes = all.length - end;
      this.#take(deserialize(all.subarray(HEAD_BYTES, end)));
    }
  }

  #length(): number {
    if (this.#chunks[0].length < HEAD_BYTES) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0].readUInt32LE(0);
  }
}

/** Blocks until the pipe has taken all of it. */
export function writeFrame(fd: number, message: object): void {
  const frame = frameOf(message);
  for (let written = 0; written < frame.length; ) written += writeSync(fd, frame, written);
}

/** Blocks until a message is there. Undefined at the end of the pipe. */
export function readFrame(fd: number): unknown {
  const head = readExactly(fd, HEAD_BYTES);
  const body = head === undefined ? undefined : readExactly(fd, head.readUInt32LE(0));
  return body === undefined ? undefined : deserialize(body);
}

function readExactly(fd: number, bytes: number): Buffer | undefined {
  const into = Buffer.allocUnsafe(bytes);
  for (let read = 0; read < bytes; ) {
    const got = readSync(fd, into, read, bytes - read, null);
    if (got === 0) return undefined;
    read += got;
  }
  return into;
}
