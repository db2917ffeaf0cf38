/** What was read of some objects: for each the values of its keys, or an array's elements, in their order. */
export type KnownReads = ReadonlyMap<object, readonly unknown[]>;

/**
 * What has been read of a value so far. A second walk takes it from here, so that a getter runs once, however many ways of
 * encoding are tried. Its own reads are kept in the order of the walk: depth first, keys and elements in their order.
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

  /** From the beginning. */
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

  /** Passes by what an earlier walk read again of an object that it had met before. */
  skip(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const prototype = Object.getPrototypeOf(value) as unknown;
    let count = 0;
    if (prototype === Object.prototype) count = Object.keys(value).length;
    else if (prototype === Array.prototype) count = (value as unknown[]).length;
    for (let i = 0; i < count && this.replaying; i++) this.skip(this.#values[this.#at++]);
  }
}
