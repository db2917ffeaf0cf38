import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { Bucket, BucketEntry } from "../engine/engine.js";
import { FollowedKeys } from "../engine/followed-keys.js";
import { fromWire, type GlobalRef, toWire } from "../gateway/references.js";
import type { Owner, Ownership } from "../nodes/ownership.js";

/** What names need of this node. */
export interface NamesHost {
  readonly bucket: Bucket;
  readonly ownership: Ownership;
  globalOf(ref: ActorRef): GlobalRef;
  refTo(global: GlobalRef): ActorRef;
  /** The actor of this node that a reference means; undefined for what is gone, or another node's. */
  own(ref: ActorRef): ActorRef | undefined;
  monitor(ref: ActorRef, listener: () => void): () => void;
  warn(facts: Record<string, unknown>, message: string): void;
}

interface Registered {
  readonly owner: Owner;
  readonly global: GlobalRef;
  readonly revision: number;
}

interface Own {
  readonly ref: ActorRef;
  readonly end: () => void;
  /** Of the key; undefined while it is not in the bucket. */
  revision: number | undefined;
}

const PREFIX = "name.";
/** Others may come first now and then, but not always. */
const TRIES = 8;
/** What the bucket has of this node's and should not have is looked for again so long after it did not answer. */
const SWEEP_AFTER_MS = 500;
/** Names of nodes that are gone are taken out of the bucket by so many at a time. */
const CLEARED_AT_ONCE = 256;
/** Names that this node knows at once; the others are found by `lookup`. */
const MOST_KNOWN = 100_000;

/** Names of the cluster: each in a key of the bucket, held while its holder's lease is. */
export class Names {
  readonly #host: NamesHost;
  readonly #known = new Map<string, Registered>();
  readonly #own = new Map<string, Own>();
  readonly #keys: FollowedKeys;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(host: NamesHost) {
    this.#host = host;
    this.#keys = new FollowedKeys(host.bucket, [PREFIX], {
      known: () => [...this.#known.keys()].map(keyOf),
      changed: (key, entry) => this.#changed(key, entry),
    });
  }

  async start(): Promise<void> {
    await this.#keys.start();
    this.clearAway(this.#host.ownership.owner.node);
  }

  get count(): number {
    return this.#known.size;
  }

  async register(name: string, given: ActorRef): Promise<void> {
    const { ownership } = this.#host;
    const ref = this.#host.own(given);
    if (ref === undefined) {
      const message = `register: id=${given.id}: no such actor on this node`;
      throw new ActorError("ERR_NOPROC", message, { id: given.id, method: "register" });
    }
    if (!ownership.isHeld) throw leaseLost(name);
    const held = this.#own.get(name);
    if (held !== undefined) throw taken(ref.id, name, held.ref.id);
    const own: Own = { ref, revision: undefined, end: this.#host.monitor(ref, () => this.#free(name, own)) };
    // Before the first answer: two registrations of this node do not both go on.
    this.#own.set(name, own);
    try {
      await this.#claim(name, own);
    } catch (error) {
      this.#forget(name, own);
      throw error;
    }
  }

  /** The holder's own name is free when this resolves. Rejects when the bucket does not answer: then it is free once that does. */
  async unregister(name: string): Promise<void> {
    const own = this.#own.get(name);
    if (own === undefined) return;
    await this.#remove(name, own);
  }

  /** From what has been told of the bucket. */
  whereis(name: string): ActorRef | undefined {
    const known = this.#known.get(name);
    if (known === undefined || !this.#isValid(name, known)) return undefined;
    return this.#host.refTo(known.global);
  }

  /** What the bucket says now. */
  async lookup(name: string): Promise<ActorRef | undefined> {
    const entry = await this.#host.bucket.read(keyOf(name));
    this.#changed(keyOf(name), entry);
    const registered = registeredIn(entry);
    return registered !== undefined && this.#isValid(name, registered)
      ? this.#host.refTo(registered.global)
      : undefined;
  }

  /** The lease is lost: so are the names. */
  leaseLost(): void {
    for (const own of this.#own.values()) own.revision = undefined;
  }

  /** What was told of the bucket holds no more. */
  bucketReset(): void {
    this.#known.clear();
    void this.#keys.read();
  }

  /**
   * Takes out of the bucket what an incarnation or a term of this node that is over has left there. False when nothing is left, as
   * far as is known.
   */
  clearAway(node: string): boolean {
    const left = [...this.#known].filter(([, { owner }]) => owner.node === node);
    const over = left.filter(([, registered]) => this.#host.ownership.isOver(registered));
    for (const [name, { revision }] of over.slice(0, CLEARED_AT_ONCE)) {
      void this.#host.bucket.remove(keyOf(name), revision).catch(() => false);
    }
    return left.length > 0;
  }

  /** Those that are still free are registered again. */
  async leaseRegained(): Promise<void> {
    for (const [name, own] of [...this.#own]) {
      if (own.revision !== undefined) continue;
      await this.#claim(name, own).catch((error: unknown) => {
        this.#forget(name, own);
        this.#host.warn({ name, err: error }, `the name ${name} was lost with the lease, and is not to be had again`);
      });
    }
    this.clearAway(this.#host.ownership.owner.node);
  }

  async close(): Promise<void> {
    // With the lease they are free all the same.
    await Promise.all([...this.#own].map(([name, own]) => this.#remove(name, own).catch(() => {})));
    clearTimeout(this.#sweeping);
    this.#keys.stop();
  }

  async #claim(name: string, own: Own): Promise<void> {
    const { bucket, ownership } = this.#host;
    const key = keyOf(name);
    for (let tries = 0; tries < TRIES; tries++) {
      const entry = await bucket.read(key);
      const holder = registeredIn(entry);
      // One of this node's that is not taken here was to be freed, or its holder was told that it was not to be had.
      if (holder !== undefined && !this.#isOwn(holder) && !(await ownership.hasEnded(holder))) {
        throw taken(own.ref.id, name, `${holder.global.node}:${holder.global.path}`);
      }
      if (!ownership.isHeld) throw leaseLost(name);
      const value = { ...ownership.owner, ref: toWire(this.#host.globalOf(own.ref)) };
      const revision = await this.#orSwept(bucket.write(key, value, entry?.revision));
      if (revision === undefined) continue;
      // Of a lease that was lost meanwhile: the name is no node's.
      if (!ownership.isHeld || ownership.owner.term !== value.term) throw leaseLost(name);
      own.revision = revision;
      this.#changed(key, { key, value, revision });
      // It has ended while the bucket was asked.
      if (this.#own.get(name) !== own) this.#free(name, own);
      return;
    }
    throw taken(own.ref.id, name, "others, one after the other");
  }

  /** Its holder has ended: here it is free at once. */
  #free(name: string, own: Own): void {
    void this.#remove(name, own).catch((error: unknown) => {
      this.#host.warn({ name, err: error }, `the name ${name} could not be freed yet: the bucket does not answer`);
    });
  }

  async #remove(name: string, own: Own): Promise<void> {
    const { revision } = own;
    this.#forget(name, own);
    if (revision === undefined) return;
    own.revision = undefined;
    if (this.#known.get(name)?.revision === revision) this.#known.delete(name);
    await this.#orSwept(this.#host.bucket.remove(keyOf(name), revision));
  }

  /** What has become of it is not known: the bucket may have what it should not have, for as long as this node lives. */
  async #orSwept<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      this.#sweepSoon();
      throw error;
    }
  }

  #sweepSoon(): void {
    this.#sweeping ??= setTimeout(() => {
      this.#sweeping = undefined;
      void this.#keys.read();
    }, SWEEP_AFTER_MS).unref();
  }

  /** Of this node, in this term of its. */
  #isOwn({ owner: { node, incarnation, term } }: Registered): boolean {
    const { owner } = this.#host.ownership;
    return node === owner.node && incarnation === owner.incarnation && term === owner.term;
  }

  #forget(name: string, own: Own): void {
    own.end();
    if (this.#own.get(name) === own) this.#own.delete(name);
  }

  #isValid(name: string, { owner, revision }: Registered): boolean {
    const { ownership } = this.#host;
    if (!ownership.isValid(owner)) return false;
    return owner.node !== ownership.owner.node || this.#own.get(name)?.revision === revision;
  }

  #changed(key: string, entry: BucketEntry | undefined): void {
    const name = nameOf(key);
    const registered = registeredIn(entry);
    const known = this.#known.get(name);
    if (registered === undefined) this.#known.delete(name);
    else if (known === undefined ? this.#known.size < MOST_KNOWN : known.revision <= registered.revision)
      this.#known.set(name, registered);
    if (registered !== undefined && this.#isOwn(registered) && !this.#own.has(name)) {
      void this.#orSwept(this.#host.bucket.remove(key, registered.revision)).catch(() => {});
    }
  }
}

/** A name may have any characters; a key may not. */
function keyOf(name: string): string {
  return PREFIX + Buffer.from(name).toString("hex");
}

function nameOf(key: string): string {
  return Buffer.from(key.slice(PREFIX.length), "hex").toString();
}

/** Undefined for what is none, whatever is in the key. */
function registeredIn(entry: BucketEntry | undefined): Registered | undefined {
  const { node, incarnation, term, ref } = (entry?.value ?? {}) as Partial<Owner> & { ref?: unknown };
  if (entry === undefined || typeof node !== "string" || typeof incarnation !== "string") return undefined;
  if (!Number.isSafeInteger(term) || !Array.isArray(ref)) return undefined;
  try {
    return { owner: { node, incarnation, term: term as number }, global: fromWire(ref), revision: entry.revision };
  } catch {
    return undefined;
  }
}

function taken(id: string, name: string, holder: string): ActorError {
  const message = `register: id=${id}: name=${name} is held by ${holder}`;
  return new ActorError("ERR_NAME_TAKEN", message, { id, name, holder });
}

function leaseLost(name: string): ActorError {
  const message = `register: name=${name}: this node has lost its lease; it owns nothing until it has another`;
  return new ActorError("ERR_LEASE_LOST", message, { name });
}
