import { hashKey, type RouteKey } from "../memory/routing.js";
import { ActorRef, type Sender } from "./actor-ref.js";
import type { ActorStats } from "./actor-stats.js";
import { type Prefix, PrefixedSender } from "./prefixed-sender.js";
import { mergeOptions, type RefOptions } from "./ref-options.js";

/**
 * A reference to a router of another node, in whose place a slot of this process stands. A message for a key has the reference
 * with that key before its arguments, by which the slot's owner knows it; `unmarked` takes it off.
 */
export class FarRouterRef<A = any> extends ActorRef<A> {
  readonly #sender: Sender;
  readonly #options: RefOptions;
  /** @internal 32 bits of the key, of what `forKey` returned. */
  readonly keyHash: number | undefined;

  /** @internal */
  constructor(sender: Sender, address: number, uid: number, id: string, options: RefOptions = {}, keyHash?: number) {
    super(new PrefixedSender(sender, (...of) => this.#prefix(...of)), address, uid, id, options);
    this.#sender = sender;
    this.#options = options;
    this.keyHash = keyHash;
  }

  override with(options: RefOptions): FarRouterRef<A> {
    return this.#of(this.keyHash, mergeOptions(this.id, this.#options, options));
  }

  /** The router's member for this key, as the router's own node chooses it. Throws ERR_INVALID_OPTION. */
  override forKey(key: RouteKey): ActorRef<A> {
    return this.#of(hashKey(key) >>> 0, this.#options);
  }

  override stats(): ActorStats {
    return new ActorRef<A>(this.#sender, this.address, this.uid, this.id).stats();
  }

  override toString(): string {
    return `FarRouterRef(${this.id})`;
  }

  #of(keyHash: number | undefined, options: RefOptions): FarRouterRef<A> {
    return new FarRouterRef<A>(this.#sender, this.address, this.uid, this.id, options, keyHash);
  }

  /** Without a key too where the first argument would else be taken for it. What is sent has it always. */
  readonly #prefix: Prefix = (_to, _method, args, isSent) =>
    isSent || this.keyHash !== undefined || isMark(args[0], this.uid) ? [this, ...args] : args;
}

/** What was sent to the slot `uid` by a `FarRouterRef`: for which key, and the arguments without it. */
export function unmarked(
  uid: number,
  isSent: boolean,
  args: unknown[],
): { readonly keyHash: number | undefined; readonly args: unknown[] } {
  const marked = isSent ? args[0] : args;
  if (!Array.isArray(marked) || !isMark(marked[0], uid)) return { keyHash: undefined, args };
  const [{ keyHash }, ...rest] = marked as [FarRouterRef, ...unknown[]];
  return { keyHash, args: rest };
}

function isMark(value: unknown, uid: number): value is FarRouterRef {
  return value instanceof FarRouterRef && value.uid === uid;
}
