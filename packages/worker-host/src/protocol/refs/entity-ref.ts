import { ActorError } from "../errors/errors.js";
import { shownMethod } from "../errors/show-value.js";
import type { RouteKey } from "../memory/routing.js";
import { ActorRef, type Sender } from "./actor-ref.js";
import { type Prefix, PrefixedSender } from "./prefixed-sender.js";
import { mergeOptions, type RefOptions } from "./ref-options.js";

/**
 * A reference to one of many that live in one actor, by its key: each message goes to that actor, with the key before its
 * arguments. A message value like any reference.
 */
export class EntityRef<A = any> extends ActorRef<A> {
  readonly #sender: Sender;
  readonly #options: RefOptions;
  /** @internal Undefined for all of them together, which takes no message. */
  readonly key: string | undefined;

  /** @internal `id` is that of all of them together. */
  constructor(sender: Sender, address: number, uid: number, id: string, key?: string, options: RefOptions = {}) {
    super(new PrefixedSender(sender, keyedBy(key)), address, uid, key === undefined ? id : `${id}/${key}`, options);
    this.#sender = sender;
    this.#options = options;
    this.key = key;
  }

  override with(options: RefOptions): EntityRef<A> {
    return this.#of(this.key, mergeOptions(this.id, this.#options, options));
  }

  /** The one with this key; of a reference that has its key already, this reference. */
  override forKey(key: RouteKey): ActorRef<A> {
    super.forKey(key);
    return this.key === undefined ? this.#of(String(key), this.#options) : this;
  }

  /** @internal Without the key. */
  get ofAll(): string {
    return this.key === undefined ? this.id : this.id.slice(0, -this.key.length - 1);
  }

  /** @internal What monitors, links and signals mean by it: what all of them live in. */
  get process(): ActorRef<A> {
    return new ActorRef<A>(this.#sender, this.address, this.uid, this.ofAll);
  }

  #of(key: string | undefined, options: RefOptions): EntityRef<A> {
    return new EntityRef<A>(this.#sender, this.address, this.uid, this.ofAll, key, options);
  }
}

/** Puts the key before what is sent. */
function keyedBy(key: string | undefined): Prefix {
  return ({ id }, method, args) => {
    if (key !== undefined) return [key, ...args];
    const message = `id=${id} method=${shownMethod(method)}: these are many; say which one: ref.forKey(key)`;
    throw new ActorError("ERR_NO_KEY", message, { id, method });
  };
}
