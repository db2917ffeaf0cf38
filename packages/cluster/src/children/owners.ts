import type { ActorRef } from "@mini-otp/runtime";
import type { Bucket, BucketEntry } from "../engine/engine.js";
import { fromWire, type GlobalRef } from "../gateway/references.js";
import type { Owner, Ownership } from "../nodes/ownership.js";

export interface Owned {
  readonly owner: Owner;
  /** Undefined while its owner is about to start it. */
  readonly global: GlobalRef | undefined;
  readonly revision: number;
}

const PREFIX = "one.";

export function keyOf(id: string): string {
  return PREFIX + Buffer.from(id).toString("hex");
}

/** Undefined for what is none. */
export function ownedIn(entry: BucketEntry | undefined): Owned | undefined {
  const { node, incarnation, term, ref } = (entry?.value ?? {}) as Partial<Owner> & { ref?: unknown };
  if (entry === undefined || typeof node !== "string" || typeof incarnation !== "string") return undefined;
  if (!Number.isSafeInteger(term)) return undefined;
  try {
    const global = Array.isArray(ref) ? fromWire(ref) : undefined;
    return { owner: { node, incarnation, term: term as number }, global, revision: entry.revision };
  } catch {
    return undefined;
  }
}

/** Which node has each singleton, as this one has been told. */
export class Owners {
  readonly #known = new Map<string, Owned>();
  readonly #bucket: Bucket;
  readonly #ownership: Ownership;
  readonly #refTo: (global: GlobalRef) => ActorRef;
  readonly #listeners = new Set<() => void>();

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

  refOf(id: string): ActorRef | undefined {
    const known = this.#known.get(keyOf(id));
    if (known?.global === undefined || !this.#ownership.isValid(known.owner)) return undefined;
    return this.#refTo(known.global);
  }

  async #readAll(): Promise<void> {
    const entries = await this.#bucket.list(PREFIX).catch(() => undefined);
    if (entries === undefined) return;
    const keys = new Set(entries.map(({ key }) => key));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    for (const entry of entries) this.#changed(entry.key, entry);
    this.tell();
  }

  #changed(key: string, entry: BucketEntry | undefined): void {
    if (!key.startsWith(PREFIX)) return;
    const owned = ownedIn(entry);
    const known = this.#known.get(key);
    if (owned === undefined) this.#known.delete(key);
    else if (known === undefined || known.revision <= owned.revision) this.#known.set(key, owned);
    this.tell();
  }
}
