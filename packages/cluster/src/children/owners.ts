import type { ActorRef } from "@mini-otp/runtime";
import type { Bucket, BucketEntry } from "../engine/engine.js";
import { FollowedKeys } from "../engine/followed-keys.js";
import { fromWire, type GlobalRef } from "../gateway/references.js";
import type { Owner, Ownership } from "../nodes/ownership.js";
import type { Target } from "./moving-ref.js";

export interface Owned {
  readonly owner: Owner;
  /** Undefined while its owner is about to start it. */
  readonly global: GlobalRef | undefined;
  /** Of this tenure, once it has begun. */
  readonly generation: string | undefined;
  readonly revision: number;
}

const PREFIXES = ["one.", "shard."];
/** What nodes that are gone had is taken out of the bucket by so many keys at a time. */
const CLEARED_AT_ONCE = 256;
/** Keys that this node knows of at once. */
const MOST_KNOWN = 100_000;

/** The key of a singleton. */
export function keyOf(id: string): string {
  return `one.${hexOf(id)}`;
}

/** An id may have any characters; a key may not. */
export function hexOf(id: string): string {
  return Buffer.from(id).toString("hex");
}

/** Undefined for what is none. */
export function ownedIn(entry: BucketEntry | undefined): Owned | undefined {
  const { node, incarnation, term, ref, generation } = (entry?.value ?? {}) as Partial<Owner> & {
    ref?: unknown;
    generation?: unknown;
  };
  if (entry === undefined || typeof node !== "string" || typeof incarnation !== "string") return undefined;
  if (!Number.isSafeInteger(term)) return undefined;
  try {
    const global = Array.isArray(ref) && typeof generation === "string" ? fromWire(ref) : undefined;
    return {
      owner: { node, incarnation, term: term as number },
      global,
      generation: global === undefined ? undefined : (generation as string),
      revision: entry.revision,
    };
  } catch {
    return undefined;
  }
}

/** Which node has each singleton and each shard, as this one has been told. */
export class Owners {
  readonly #known = new Map<string, { readonly entry: BucketEntry; readonly owned: Owned | undefined }>();
  readonly #bucket: Bucket;
  readonly #ownership: Ownership;
  readonly #refTo: (global: GlobalRef) => ActorRef;
  /** By key, and by what keys begin with. */
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #prefixListeners = new Map<string, Set<() => void>>();
  readonly #keys: FollowedKeys;

  constructor(bucket: Bucket, ownership: Ownership, refTo: (global: GlobalRef) => ActorRef) {
    this.#bucket = bucket;
    this.#ownership = ownership;
    this.#refTo = refTo;
    this.#keys = new FollowedKeys(bucket, PREFIXES, {
      known: () => this.#known.keys(),
      changed: (key, entry) => this.#changed(key, entry),
    });
  }

  async start(): Promise<void> {
    await this.#keys.start();
    this.clearAway(this.#ownership.owner.node);
  }

  stop(): void {
    this.#keys.stop();
  }

  /** As of `Names`. */
  clearAway(node: string): boolean {
    const left = [...this.#known].filter(([, { owned }]) => owned?.owner.node === node);
    const over = left.filter(([, { owned }]) => owned !== undefined && this.#ownership.isOver(owned));
    for (const [key, { entry }] of over.slice(0, CLEARED_AT_ONCE)) {
      void this.#bucket.remove(key, entry.revision).catch(() => false);
    }
    return left.length > 0;
  }

  /** Calls `listener` when the owner of this key may have changed. Returns the function that takes it off. */
  onChange(key: string, listener: () => void): () => void {
    return listen(this.#listeners, key, listener);
  }

  /** As `onChange`, of all keys with this beginning. */
  onChangeOf(prefix: string, listener: () => void): () => void {
    return listen(this.#prefixListeners, prefix, listener);
  }

  /** A lease, or a connection, has changed: any owner may have. */
  tell(): void {
    for (const of of [this.#listeners, this.#prefixListeners]) {
      for (const listener of [...of.values()].flatMap((listeners) => [...listeners])) listener();
    }
  }

  /** However many keys there are, a change of one is told to those that look at it. */
  #tellOf(key: string): void {
    for (const listener of [...(this.#listeners.get(key) ?? [])]) listener();
    for (const [prefix, listeners] of this.#prefixListeners) {
      if (key.startsWith(prefix)) for (const listener of [...listeners]) listener();
    }
  }

  /** What was told of the bucket holds no more. */
  bucketReset(): void {
    this.#known.clear();
    void this.#keys.read();
  }

  /** Who has it; undefined while no node does. */
  targetOf(key: string): Target | undefined {
    const owned = this.#known.get(key)?.owned;
    if (owned?.global === undefined || owned.generation === undefined) return undefined;
    if (!this.#ownership.isValid(owned.owner)) return undefined;
    const { global, generation } = owned;
    return { node: global.node, generation, ref: this.#refTo(global) };
  }

  /** What is in the bucket there, whatever it is. */
  entryOf(key: string): BucketEntry | undefined {
    return this.#known.get(key)?.entry;
  }

  /** This node has written it: it need not be told of it first. */
  learn(entry: BucketEntry): void {
    this.#changed(entry.key, entry);
  }

  /** All that is there with this beginning. */
  entriesOf(prefix: string): BucketEntry[] {
    return [...this.#known.values()].map(({ entry }) => entry).filter(({ key }) => key.startsWith(prefix));
  }

  #changed(key: string, entry: BucketEntry | undefined): void {
    const known = this.#known.get(key)?.entry;
    if (entry === undefined) this.#known.delete(key);
    else if (known === undefined ? this.#known.size < MOST_KNOWN : known.revision <= entry.revision)
      this.#known.set(key, { entry, owned: ownedIn(entry) });
    this.#tellOf(key);
  }
}

function listen(all: Map<string, Set<() => void>>, of: string, listener: () => void): () => void {
  const listeners = all.get(of) ?? new Set();
  all.set(of, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && all.get(of) === listeners) all.delete(of);
  };
}
