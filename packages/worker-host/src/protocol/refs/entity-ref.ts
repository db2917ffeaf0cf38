import { ActorError } from "../errors/errors.js";
import { shownMethod } from "../errors/show-value.js";
import type { RouteKey } from "../memory/routing.js";
import { ActorRef, type Connection, type Sender } from "./actor-ref.js";
import { mergeOptions, type RefOptions } from "./ref-options.js";
import type { StreamReader } from "./stream-reader.js";

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
    super(new KeyedSender(sender, key), address, uid, key === undefined ? id : `${id}/${key}`, options);
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
class KeyedSender implements Sender {
  readonly #sender: Sender;
  readonly #key: string | undefined;

  constructor(sender: Sender, key: string | undefined) {
    this.#sender = sender;
    this.#key = key;
  }

  connect(address: number, uid: number, id: string): Connection {
    return this.#sender.connect(address, uid, id);
  }

  call(to: Connection, method: string, args: unknown[], options: RefOptions): Promise<unknown> {
    return this.#sender.call(to, method, this.#keyed(to, method, args), options);
  }

  callSync(to: Connection, method: string, args: unknown[], options: RefOptions): unknown {
    return this.#sender.callSync(to, method, this.#keyed(to, method, args), options);
  }

  openStream(to: Connection, method: string, args: unknown[], options: RefOptions, reader: StreamReader): void {
    this.#sender.openStream?.(to, method, this.#keyed(to, method, args), options, reader);
  }

  async cast(to: Connection, method: string, args: unknown[], options: RefOptions): Promise<void> {
    return this.#sender.cast(to, method, this.#keyed(to, method, args), options);
  }

  castSync(to: Connection, method: string, args: unknown[], options: RefOptions): void {
    this.#sender.castSync(to, method, this.#keyed(to, method, args), options);
  }

  tryCast(to: Connection, method: string, args: unknown[], options: RefOptions): "ok" | "full" | "closed" {
    return this.#sender.tryCast(to, method, this.#keyed(to, method, args), options);
  }

  async send(to: Connection, message: unknown, options: RefOptions): Promise<void> {
    return this.#sender.send(to, this.#keyed(to, "info", [message]), options);
  }

  #keyed({ id }: Connection, method: string, args: unknown[]): unknown[] {
    if (this.#key !== undefined) return [this.#key, ...args];
    const message = `id=${id} method=${shownMethod(method)}: these are many; say which one: ref.forKey(key)`;
    throw new ActorError("ERR_NO_KEY", message, { id, method });
  }
}
