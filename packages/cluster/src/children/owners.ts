import type { ActorRef } from "@mini-otp/runtime";
import type { Bucket, BucketEntry } from "../engine/engine.js";
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
  readonly #listeners = new Set<() => void>();
  /** Keys that went while all were read: the list may still have them. */
  #gone: Set<string> | undefined;

  constructor(bucket: Bucket, ownership: Ownership, refTo: (global: GlobalRef) => ActorRef) {
    this.#bucket = bucket;
    this.#ownership = ownership;
    this.#refTo = refTo;
  }

  async start(): Promise<void> {
    this.#bucket.watch(
      (key, entry) => this.#changed(key, entry),
      () => void this.#readAll(),
    );
    await this.#readAll();
  }

  /** Calls `listener` when an owner may have changed. Returns the function that takes it off. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A lease, or a connection, has changed. */
  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** What was told of the bucket holds no more. */
  bucketReset(): void {
    this.#known.clear();
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

  async #readAll(): Promise<void> {
    const gone = new Set<string>();
    this.#gone = gone;
    const lists = await Promise.all(PREFIXES.map((prefix) => this.#bucket.list(prefix))).catch(() => undefined);
    // A later look has begun.
    if (lists === undefined || this.#gone !== gone) return;
    this.#gone = undefined;
    const entries = lists.flat().filter(({ key }) => !gone.has(key));
    const keys = new Set(entries.map(({ key }) => key));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    for (const entry of entries) this.#take(entry.key, entry);
    this.tell();
  }

  #changed(key: string, entry: BucketEntry | undefined): void {
    if (!PREFIXES.some((prefix) => key.startsWith(prefix))) return;
    this.#take(key, entry);
    this.tell();
  }

  #take(key: string, entry: BucketEntry | undefined): void {
    const known = this.#known.get(key)?.entry;
    if (entry === undefined) {
      this.#known.delete(key);
      this.#gone?.add(key);
    } else if (known === undefined || known.revision <= entry.revision) {
      this.#known.set(key, { entry, owned: ownedIn(entry) });
    }
  }
}
