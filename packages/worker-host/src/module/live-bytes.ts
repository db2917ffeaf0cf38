import { inspect } from "node:util";

/** Lives exactly as long as the object that it stands for. */
class Token {
  bytes = 0;
  readonly #listed: (token: Token) => void;

  constructor(listed: (token: Token) => void) {
    this.#listed = listed;
  }

  [inspect.custom](): string {
    this.#listed(this);
    return "";
  }
}

/** Lists every entry, whatever defaults the actor has set. */
const EVERY_ENTRY = { showHidden: true, customInspect: true, maxArrayLength: Infinity, depth: 1 } as const;

/**
 * How many bytes the live objects among some stand for; it keeps none of them alive. A recount after a collection
 * subtracts the garbage. It cannot use finalizers or a WeakRef, because both wait for a turn of the event loop: in a
 * loop that does not end the count would only grow.
 */
export class LiveBytes {
  readonly #changed: () => void;
  readonly #tokenOf = new WeakMap<object, Token>();
  /** Only `inspect` can list a weak set. */
  readonly #tokens = new WeakSet<Token>();
  #bytes = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** From now on `thing` counts for `bytes`. Returns the difference to what it counted for before. */
  count(thing: object, bytes: number): number {
    const token = this.#tokenOf.get(thing) ?? this.#meet(thing);
    const more = bytes - token.bytes;
    token.bytes = bytes;
    this.#bytes += more;
    this.#changed();
    return more;
  }

  /** Right after a collection: counts only the objects that survived it. */
  recount(): void {
    this.#bytes = 0;
    inspect(this.#tokens, EVERY_ENTRY);
    this.#changed();
  }

  #meet(thing: object): Token {
    const token = new Token(this.#listed);
    this.#tokenOf.set(thing, token);
    this.#tokens.add(token);
    return token;
  }

  readonly #listed = (token: Token): void => {
    this.#bytes += token.bytes;
  };
}
