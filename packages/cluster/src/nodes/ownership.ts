import type { Bucket, BucketEntry } from "../engine/engine.js";
import { holdUntil, newUntil, release } from "./held-until.js";
import {
  type Clocks,
  isHeld,
  type LeaseAction,
  type LeaseEntry,
  type LeaseEvent,
  type LeaseLoss,
  type LeaseState,
  type LeaseTimes,
  type LeaseValue,
  leaseStep,
  newLease,
  newWatch,
  overdue,
  type WatchState,
  watchStep,
} from "./lease.js";

/** The owner of something: one incarnation of a node, in one of its terms. */
export interface Owner {
  readonly node: string;
  readonly incarnation: string;
  readonly term: number;
}

export interface OwnershipListener {
  /** What this node owned is its own no more. */
  lost(why: LeaseLoss): void;
  /** What was read of the bucket before holds no more: it is another one, or behind. */
  bucketReset(): void;
  /** It has a lease again: of a new term. */
  regained(): void;
  /** Another node's lease has changed: what it owns may be free. */
  changed(node: string): void;
}

const PREFIX = "node.";
const META = "meta";
const LONGEST_TICK_MS = 500;

/** This node's lease, kept up, and the others', watched. */
export class Ownership {
  readonly #bucket: Bucket;
  readonly #node: string;
  readonly #incarnation: string;
  readonly #lease: LeaseState;
  readonly #watch: WatchState;
  readonly #listener: OwnershipListener;
  readonly #key: string;
  #timer: NodeJS.Timeout | undefined;
  #joined: { readonly resolve: () => void; readonly reject: (by: string) => void } | undefined;
  #released = false;
  /** The epoch that this node has raised, and the largest that it knows of. */
  #raised = 0;
  #largestEpoch = 0;
  /** The bucket is another one, or behind: so may its epoch be. */
  #mustRaise = false;
  /** Of this term: threads read there how long the lease is held. */
  #until = newUntil();

  constructor(bucket: Bucket, node: string, incarnation: string, times: LeaseTimes, listener: OwnershipListener) {
    this.#bucket = bucket;
    this.#node = node;
    this.#incarnation = incarnation;
    this.#listener = listener;
    this.#key = `${PREFIX}${node}`;
    this.#lease = newLease(incarnation, times, clocks());
    this.#watch = newWatch(times.takeOverMs);
  }

  /** Resolves with the lease; rejects with the incarnation that has it, and keeps it. */
  async take(): Promise<void> {
    this.#bucket.watch(
      (key, entry) => this.#seen(key, entry),
      (reset) => (reset ? this.#bucketReset() : void this.#readAll()),
    );
    await this.#readAll();
    const tickMs = Math.min(LONGEST_TICK_MS, this.#lease.times.renewMs / 4);
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
    await new Promise<void>((resolve, reject) => {
      this.#joined = { resolve, reject };
      this.#step({ type: "begin" });
    });
  }

  get isHeld(): boolean {
    return !this.#released && isHeld(this.#lease, clocks());
  }

  /** How long this term's lease is held, in memory that threads share: see held-until.ts. */
  get until(): BigInt64Array {
    return this.#until;
  }

  /** How long ago the last renewal that was accepted was sent. */
  get leaseAgeMs(): number {
    return performance.now() - this.#lease.renewedAt.mono;
  }

  /** Of what this node comes to own now. */
  get owner(): Owner {
    return { node: this.#node, incarnation: this.#incarnation, term: this.#lease.term };
  }

  /** Whether what is owned by this one is not to be taken from it. */
  isValid({ node, incarnation, term }: Owner): boolean {
    if (node === this.#node) return this.isHeld && incarnation === this.#incarnation && term === this.#lease.term;
    const value = this.#watch.seen.get(node)?.entry.value;
    return value?.incarnation === incarnation && value.term === term && value.revokedBy === undefined;
  }

  /** Whether it is another node's, which is not to be taken from it. */
  isOthers(owner: Owner): boolean {
    return owner.node !== this.#node && this.isValid(owner);
  }

  /** The lease is given back: the next of this name need not wait. Never rejects. */
  async release(): Promise<void> {
    if (this.#released) return;
    const { term, revision } = this.#lease;
    const wasHeld = this.isHeld;
    this.stop();
    const value: LeaseValue = { incarnation: this.#incarnation, term, revokedBy: "" };
    if (wasHeld) await this.#bucket.write(this.#key, value, revision).catch(() => undefined);
  }

  /** Nothing is renewed any more. */
  stop(): void {
    this.#released = true;
    release(this.#until);
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#step({ type: "tick" });
    if (this.#lease.phase !== "held") return;
    for (const { node, entry } of overdue(this.#watch, performance.now())) {
      if (node === this.#node) continue;
      const value: LeaseValue = { ...entry.value, revokedBy: this.#node };
      // Refused when its holder has renewed it meanwhile: one key, one order.
      void this.#bucket.write(`${PREFIX}${node}`, value, entry.revision).catch(() => undefined);
    }
  }

  /**
   * Comes first in every fencing token: a bucket that has lost what it had counts its revisions from the start again. Raised
   * by the first of a cluster, which finds no other's lease, and by each that finds the bucket behind what it has seen.
   */
  async epoch(): Promise<number> {
    const entry = await this.#bucket.read(META);
    const { epoch: known = 0 } = (entry?.value ?? {}) as { epoch?: number };
    const isAlone = ![...this.#watch.seen].some(
      ([node, { entry: lease }]) => node !== this.#node && lease.value.revokedBy === undefined,
    );
    if (known > 0 && !this.#mustRaise && (!isAlone || this.#raised === known)) {
      this.#largestEpoch = Math.max(this.#largestEpoch, known);
      return known;
    }
    this.#mustRaise = false;
    try {
      const epoch = Math.max(known + 1, this.#largestEpoch + 1, Date.now());
      const written = await this.#bucket.write(META, { epoch }, entry?.revision);
      if (written === undefined) {
        this.#mustRaise = true;
        return await this.epoch();
      }
      this.#raised = this.#largestEpoch = epoch;
      return epoch;
    } catch (error) {
      this.#mustRaise = true;
      throw error;
    }
  }

  #bucketReset(): void {
    this.#forgetBucket();
    this.#step({ type: "reset" });
    void this.#readAll();
  }

  #forgetBucket(): void {
    this.#watch.seen.clear();
    this.#mustRaise = true;
    this.#listener.bucketReset();
  }

  async #readAll(): Promise<void> {
    const entries = await this.#bucket.list(PREFIX).catch(() => []);
    for (const entry of entries) this.#seen(entry.key, entry);
  }

  #seen(key: string, entry: BucketEntry | undefined): void {
    if (!key.startsWith(PREFIX)) return;
    const node = key.slice(PREFIX.length);
    const lease = leaseIn(entry);
    const known = this.#watch.seen.get(node)?.entry;
    // A list that was read may be older than what was told meanwhile.
    if (lease !== undefined && known !== undefined && lease.revision < known.revision) return;
    watchStep(this.#watch, node, lease, performance.now());
    if (!isSameOwner(known?.value, lease?.value)) this.#listener.changed(node);
  }

  #step(event: LeaseEvent): void {
    if (this.#released) return;
    const now = clocks();
    for (const action of leaseStep(this.#lease, event, now)) this.#carryOut(action);
    const { phase, renewedAt, times } = this.#lease;
    if (phase === "held") holdUntil(this.#until, renewedAt, times.holdMs, now);
  }

  #carryOut(action: LeaseAction): void {
    switch (action.type) {
      case "read":
        void this.#bucket.read(this.#key).then(
          (entry) => this.#step({ type: "read", entry: leaseIn(entry) }),
          () => this.#step({ type: "unknown" }),
        );
        break;
      case "write":
        void this.#bucket.write(this.#key, action.value, action.revision).then(
          (revision) => this.#step(revision === undefined ? { type: "refused" } : { type: "written", revision }),
          () => this.#step({ type: "unknown" }),
        );
        break;
      case "granted":
        if (this.#joined === undefined) this.#listener.regained();
        this.#joined?.resolve();
        this.#joined = undefined;
        break;
      case "taken":
        if (this.#joined === undefined) this.#again();
        this.#joined?.reject(action.by);
        this.#joined = undefined;
        break;
      case "lost":
        // What it owned must not take the next term for its own.
        release(this.#until);
        this.#until = newUntil();
        if (action.why === "bucket") this.#forgetBucket();
        // While it joins nothing was its own yet.
        if (this.#joined === undefined) this.#listener.lost(action.why);
        this.#again();
        break;
    }
  }

  /** Joins afresh; not at once, because what has failed would fail again. */
  #again(): void {
    setTimeout(async () => {
      // Before its lease is of another term, by which others know that what it owned is free.
      if (this.#mustRaise) await this.epoch().catch(() => 0);
      this.#step({ type: "begin" });
    }, this.#lease.times.renewMs / 4).unref();
  }
}

function clocks(): Clocks {
  return { mono: performance.now(), wall: Date.now() };
}

/** Undefined for what is no lease. */
function leaseIn(entry: BucketEntry | undefined): LeaseEntry | undefined {
  const { incarnation, term, revokedBy } = (entry?.value ?? {}) as Partial<LeaseValue>;
  if (entry === undefined || typeof incarnation !== "string" || !Number.isSafeInteger(term)) return undefined;
  const value = { incarnation, term: term as number };
  return {
    value: revokedBy === undefined ? value : { ...value, revokedBy: String(revokedBy) },
    revision: entry.revision,
  };
}

function isSameOwner(one: LeaseValue | undefined, other: LeaseValue | undefined): boolean {
  return one?.incarnation === other?.incarnation && one?.term === other?.term && one?.revokedBy === other?.revokedBy;
}
