import { checkMethodName } from "./method-name.js";
import { acquire, type Producer, release } from "./ring-lock.js";

/*
 * Numbers of method names, the same in every thread of a system: an append-only log in shared memory. A name's number
 * is its place in the log. Only definitions enter names, when they are loaded, so a name that a sender makes up takes
 * no room. A name without a number (no definition has it, or the log is full) travels as text, see method-name.
 *
 *   word 0   lock (owner id)
 *   word 32  bytes used, published by one store after the entry is written
 *   byte 256 entries: length (int32), UTF-8 bytes, padded to 4
 */
const LOCK = 0;
const USED = 32;
const ENTRIES = 256;
export const NAME_TABLE_BYTES = 512 * 1024;

/** Numbers of the methods that every actor has. */
export const METHOD_INFO = 1;
export const METHOD_INIT = 2;
export const METHOD_TERMINATE = 3;
const FIRST_NAMES = ["info", "init", "terminate"];

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

  /** A view of the table in `buffer`, for one thread. */
  constructor(buffer: SharedArrayBuffer, producer: Producer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#bytes = Buffer.from(buffer);
    this.#producer = producer;
  }

  /** A table in memory of its own, which no other thread knows yet. */
  static create(bytes: number, producer: Producer): NameTable {
    const table = new NameTable(new SharedArrayBuffer(bytes), producer);
    table.enter(FIRST_NAMES);
    return table;
  }

  /** The number of `name`, 1 or more; 0 when it has none. Takes no lock. */
  find(name: string): number {
    if (name !== this.#lastName) {
      const id = this.#look(name);
      if (id === 0) return 0;
      this.#lastId = id;
      this.#lastName = name;
    }
    return this.#lastId;
  }

  /** The name of a number, or "" when there is none. Takes no lock. */
  name(id: number): string {
    if (id >= this.#names.length) this.#catchUp();
    return this.#names[id] ?? "";
  }

  /**
   * Gives names their numbers. Does nothing for those that find no room, nor when this thread does not get the lock
   * within its patience. Throws ERR_UNKNOWN_METHOD for a name that no method can have; then none is entered.
   */
  enter(names: readonly string[]): void {
    for (const name of names) checkMethodName(name);
    if (names.every((name) => this.#look(name) !== 0)) return;
    // With the lock held. A name is entered by the store of the bytes used; main frees a dead owner's lock.
    if (!acquire(this.#words, LOCK, this.#producer)) return;
    for (const name of names) if (this.#look(name) === 0) this.#append(name);
    release(this.#words, LOCK);
  }

  /** Frees the lock if the thread `ownerId` died holding it. Main, after that thread's exit. */
  repair(ownerId: number): void {
    Atomics.compareExchange(this.#words, LOCK, ownerId, 0);
  }

  #look(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    this.#catchUp();
    return this.#ids.get(name) ?? 0;
  }

  #append(name: string): void {
    const words = this.#words;
    const length = Buffer.byteLength(name);
    const at = ENTRIES + this.#read;
    if (at + 4 + length > this.buffer.byteLength) return;
    words[at >> 2] = length;
    this.#bytes.write(name, at + 4);
    Atomics.store(words, USED, this.#read + 4 + ((length + 3) & ~3));
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
