/** Values read from objects: for each object those of its keys, or the elements of an array, in order. */
export type KnownReads = ReadonlyMap<object, readonly unknown[]>;

/**
 * The property values read while a message is encoded. A second walk takes them from here, so that a getter runs once
 * even when several encodings are tried. They are kept in the order of the walk: depth first, keys and elements in
 * order.
 */
export class Reads {
  readonly #known: KnownReads | undefined;
  readonly #values: unknown[] = [];
  #at = 0;

  constructor(known: KnownReads | undefined) {
    this.#known = known;
  }

  get replaying(): boolean {
    return this.#at < this.#values.length;
  }

  /** The next walk starts from the beginning. */
  rewind(): void {
    this.#at = 0;
  }

  /** The value of the object's `index`-th key. */
  read(object: object, key: string | number, index: number): unknown {
    if (this.#at < this.#values.length) return this.#values[this.#at++];
    const known = this.#known?.get(object);
    const value =
      known !== undefined && index < known.length ? known[index] : (object as Record<string | number, unknown>)[key];
    this.#values.push(value);
    this.#at++;
    return value;
  }

  /** Skips the reads of an object that an earlier walk read twice and this one meets again. */
  skip(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const prototype = Object.getPrototypeOf(value) as unknown;
    let count = 0;
    if (prototype === Object.prototype) count = Object.keys(value).length;
    else if (prototype === Array.prototype) count = (value as unknown[]).length;
    for (let i = 0; i < count && this.replaying; i++) this.skip(this.#values[this.#at++]);
  }
}
