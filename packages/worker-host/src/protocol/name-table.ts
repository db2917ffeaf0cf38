import { napWhile } from "./doorbell.js";
import { ActorError } from "./errors.js";
import type { Producer } from "./ring-lock.js";
import { shownMethod } from "./show-value.js";

/*
 * Method names, interned once for the whole system: an append-only log in shared memory. A name's id is its
 * place in the log, so every thread agrees on it, and main can name what a hung actor is handling.
 *
 *   word 0   lock (owner id)
 *   word 32  bytes used, published by one store after the entry is written
 *   byte 256 entries: length (int32), UTF-8 bytes, padded to 4
 */
const LOCK = 0;
const USED = 32;
const ENTRIES = 256;
const MAX_NAME_BYTES = 256;
export const NAME_TABLE_BYTES = 512 * 1024;

export class NameTable {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #producer: Producer;
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [""];
  #read = 0;
  #lastName: string | undefined;
  #lastId = 0;

  constructor(buffer: SharedArrayBuffer, producer: Producer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#bytes = Buffer.from(buffer);
    this.#producer = producer;
  }

  /** The id of `name`, 1 or more. Throws ERR_UNKNOWN_METHOD for a name no actor could have. */
  intern(name: string): number {
    if (name !== this.#lastName) {
      this.#lastId = this.#ids.get(name) ?? this.#append(name);
      this.#lastName = name;
    }
    return this.#lastId;
  }

  /** The name of `id`, or "" when there is none. */
  name(id: number): string {
    if (id >= this.#names.length) this.#catchUp();
    return this.#names[id] ?? "";
  }

  /** Frees the lock if the thread `ownerId` died holding it. Main, after that thread's exit. */
  repair(ownerId: number): void {
    Atomics.compareExchange(this.#words, LOCK, ownerId, 0);
  }

  #append(name: string): number {
    const length = typeof name === "string" ? Buffer.byteLength(name) : 0;
    if (length === 0 || length > MAX_NAME_BYTES) {
      throw new ActorError(
        "ERR_UNKNOWN_METHOD",
        `method=${shownMethod(name)}: a method name has 1 to ${MAX_NAME_BYTES} bytes`,
      );
    }
    const words = this.#words;
    while (Atomics.compareExchange(words, LOCK, 0, this.#producer.ownerId) !== 0) {
      napWhile(words, LOCK, Atomics.load(words, LOCK), 1);
    }
    try {
      this.#catchUp();
      const known = this.#ids.get(name);
      if (known !== undefined) return known;
      const at = ENTRIES + this.#read;
      if (at + 4 + length > this.buffer.byteLength) {
        throw new ActorError(
          "ERR_UNKNOWN_METHOD",
          `method=${name}: the system's table of method names is full (${this.#names.length} names)`,
        );
      }
      words[at >> 2] = length;
      this.#bytes.write(name, at + 4);
      Atomics.store(words, USED, this.#read + 4 + ((length + 3) & ~3));
      this.#catchUp();
      return this.#names.length - 1;
    } finally {
      Atomics.store(words, LOCK, 0);
    }
  }

  #catchUp(): void {
    const used = Atomics.load(this.#words, USED);
    while (this.#read < used) {
      const at = ENTRIES + this.#read;
      const length = this.#words[at >> 2];
      const name = this.#bytes.toString("utf8", at + 4, at + 4 + length);
      this.#ids.set(name, this.#names.length);
      this.#names.push(name);
      this.#read += 4 + ((length + 3) & ~3);
    }
  }
}
