import { inspect } from "node:util";

/** As long as its thing is alive, and no longer. */
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

/** All of them, whatever the actor has made the defaults. */
const EVERY_ENTRY = { showHidden: true, customInspect: true, maxArrayLength: Infinity, depth: 1 } as const;

/**
 * How many bytes the live ones of some objects stand for; keeps none of them alive. What has become garbage is subtracted
 * by a recount after a collection. It must do without finalizers, which wait for a turn of the event loop, as a WeakRef
 * does before it lets go: in a loop that does not end both would only grow.
 */
export class LiveBytes {
  readonly #changed: () => void;
  readonly #tokenOf = new WeakMap<object, Token>();
  /** `inspect` is what can list a weak set. */
  readonly #tokens = new WeakSet<Token>();
  #bytes = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** From now on `thing` counts for so many bytes. Returns how many these are more than before. */
  count(thing: object, bytes: number): number {
    const token = this.#tokenOf.get(thing) ?? this.#meet(thing);
    const more = bytes - token.bytes;
    token.bytes = bytes;
    this.#bytes += more;
    this.#changed();
    return more;
  }

  /** Right after a collection: only what it has left is counted. */
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
