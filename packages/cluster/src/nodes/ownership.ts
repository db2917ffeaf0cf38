import type { Bucket, BucketEntry } from "../engine/engine.js";
import { FollowedKeys } from "../engine/followed-keys.js";
import { every, type Stop } from "./every.js";
import { holdUntil, newUntil, release } from "./held-until.js";
import {
  type Clocks,
  isHeld,
  LEASE_PREFIX,
  type LeaseAction,
  type LeaseEntry,
  type LeaseEvent,
  type LeaseLoss,
  type LeaseState,
  type LeaseTimes,
  type LeaseValue,
  leaseKey,
  leaseStep,
  newLease,
  newWatch,
  overdue,
  unused,
  type WatchState,
  watchStep,
} from "./lease.js";
import { NODE_NAME } from "./node-name.js";

/** The owner of something: one incarnation of a node, in one of its terms. */
export interface Owner {
  readonly node: string;
  readonly incarnation: string;
  readonly term: number;
}

/** What an owner has written, and the revision of that. */
export interface OwnedEntry {
  readonly owner: Owner;
  readonly revision: number;
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
  /** Takes what a node that is gone for good owned out of the bucket. False when nothing is left of it, as far as is known. */
  clearAway(node: string): boolean;
}

const META = "meta";
const LONGEST_TICK_MS = 500;
/** Ten years: an epoch that is further ahead is not a node's. */
const MOST_AHEAD_MS = 10 * 365 * 24 * 3600 * 1000;
/** Nodes that are gone for good are cleared away by so many at a time. */
const CLEARED_AT_ONCE = 4;
/** Leases that are watched at once. */
const MOST_SEEN = 4096;

/** This node's lease, kept up, and the others', watched. */
export class Ownership {
  readonly #bucket: Bucket;
  readonly #node: string;
  readonly #incarnation: string;
  readonly #lease: LeaseState;
  readonly #watch: WatchState;
  readonly #listener: OwnershipListener;
  readonly #key: string;
  readonly #leases: FollowedKeys;
  #stopTicks: Stop = () => {};
  #joined: { readonly resolve: () => void; readonly reject: (by: string) => void } | undefined;
  #released = false;
  /** The epoch that this node has raised, and the largest that it knows of. */
  #raised = 0;
  #largestEpoch = 0;
  /** The epoch of the bucket as this node saw it last; undefined before it has. */
  #seenEpoch: number | undefined;
  /** The bucket is another one, or behind: so may its epoch be. */
  #mustRaise = false;
  /** Its reset is being told, or this node has asked for it. */
  #isReset = false;
  #awaitsReset = false;
  /** Questions for the epoch, which may raise it, that are under way. */
  #asking = 0;
  /** Of this term: threads read there how long the lease is held. */
  #until = newUntil();

  constructor(bucket: Bucket, node: string, incarnation: string, times: LeaseTimes, listener: OwnershipListener) {
    this.#bucket = bucket;
    this.#node = node;
    this.#incarnation = incarnation;
    this.#listener = listener;
    this.#key = leaseKey(node);
    this.#lease = newLease(incarnation, times, clocks());
    this.#watch = newWatch(times.takeOverMs);
    this.#leases = new FollowedKeys(bucket, [LEASE_PREFIX], {
      known: () => [...this.#watch.seen.keys()].map(leaseKey),
      changed: (key, entry) => this.#seen(key, entry),
      read: () =>
        void this.#bucket.read(META).then(
          (entry) => this.#sawEpoch(entry),
          () => {},
        ),
      reset: () => this.#reset(),
    });
  }

  /** Resolves with the lease; rejects with the incarnation that has it, and keeps it. */
  async take(): Promise<void> {
    this.#bucket.watch(
      (key, entry) => {
        if (key === META) this.#sawEpoch(entry);
      },
      () => {},
    );
    await this.#leases.start();
    const tickMs = Math.min(LONGEST_TICK_MS, this.#lease.times.renewMs / 4);
    this.#stopTicks = every(tickMs, () => this.#tick());
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

  /** Whether it is known that this one owns. */
  isValid(owner: Owner): boolean {
    const { node, incarnation, term } = owner;
    if (node === this.#node) return this.isHeld && this.#isOwn(owner);
    const value = this.#watch.seen.get(node)?.entry.value;
    return value?.incarnation === incarnation && value.term === term && value.revokedBy === undefined;
  }

  /** Whether it is another node's, as far as is known. */
  isOthers(owner: Owner): boolean {
    return owner.node !== this.#node && this.isValid(owner);
  }

  /**
   * Whether this node may take what is written there. What is known of a lease may be older than the entry, so the bucket is asked
   * where that does not show it. Rejects when it does not answer.
   */
  async hasEnded(owned: OwnedEntry): Promise<boolean> {
    const { owner } = owned;
    if (owner.node === this.#node || this.isOver(owned)) return true;
    if (this.isValid(owner)) return false;
    const lease = leaseIn(await this.#bucket.read(leaseKey(owner.node)));
    // It was read after the entry.
    return lease === undefined || isOver(owner, lease, -Infinity);
  }

  /** Whether it is known that the term is over in which that was written. */
  isOver({ owner, revision }: OwnedEntry): boolean {
    if (owner.node === this.#node) return !this.#isOwn(owner);
    const known = this.#watch.seen.get(owner.node)?.entry;
    return known !== undefined && isOver(owner, known, revision);
  }

  #isOwn({ incarnation, term }: Owner): boolean {
    return incarnation === this.#incarnation && term === this.#lease.term;
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
    this.#stopTicks();
    this.#leases.stop();
  }

  #tick(): void {
    this.#step({ type: "tick" });
    if (this.#lease.phase !== "held") return;
    this.#revokeOverdue();
    if (this.#isFirst) this.#clearAway();
  }

  #revokeOverdue(): void {
    for (const { node, entry } of overdue(this.#watch, performance.now())) {
      if (node === this.#node) continue;
      const value: LeaseValue = { ...entry.value, revokedBy: this.#node };
      // Refused when its holder has renewed it meanwhile: one key, one order.
      void this.#bucket.write(leaseKey(node), value, entry.revision).catch(() => undefined);
    }
  }

  /** Of the nodes that have a lease, by name: what one has to do, it does. */
  get #isFirst(): boolean {
    for (const [node, { entry }] of this.#watch.seen) {
      if (node < this.#node && entry.value.revokedBy === undefined) return false;
    }
    return true;
  }

  #clearAway(): void {
    for (const { node, entry } of unused(this.#watch, performance.now()).slice(0, CLEARED_AT_ONCE)) {
      if (this.#listener.clearAway(node)) continue;
      // Refused when a process of this name has taken it meanwhile.
      void this.#bucket.remove(leaseKey(node), entry.revision).catch(() => false);
    }
  }

  /**
   * Comes first in every fencing token: a bucket that has lost what it had counts its revisions from the start again. Raised
   * by the first of a cluster, which finds no other's lease, and by each that finds the bucket behind what it has seen.
   */
  async epoch(): Promise<number> {
    this.#asking++;
    try {
      return await this.#askForEpoch();
    } finally {
      this.#asking--;
    }
  }

  async #askForEpoch(): Promise<number> {
    const entry = await this.#bucket.read(META);
    const known = epochIn(entry);
    const isAlone = ![...this.#watch.seen].some(
      ([node, { entry: lease }]) => node !== this.#node && lease.value.revokedBy === undefined,
    );
    // Another node has raised it since, for what the bucket has lost.
    const isRaised = isOfLoss(entry) && known > (this.#seenEpoch ?? Infinity);
    if (known > 0 && (this.#mustRaise ? isRaised : !isAlone || this.#raised === known)) {
      this.#mustRaise = false;
      this.#seenEpoch = known;
      this.#largestEpoch = Math.max(this.#largestEpoch, known);
      return known;
    }
    const isBehind = this.#mustRaise;
    this.#mustRaise = false;
    try {
      const epoch = Math.max(known + 1, this.#largestEpoch + 1, Date.now());
      const value = isBehind ? { epoch, behind: true } : { epoch };
      const written = await this.#bucket.write(META, value, entry?.revision);
      if (written === undefined) {
        this.#mustRaise = isBehind;
        return await this.#askForEpoch();
      }
      this.#raised = this.#largestEpoch = this.#seenEpoch = epoch;
      return epoch;
    } catch (error) {
      this.#mustRaise = isBehind;
      throw error;
    }
  }

  /** One that another node has raised for a loss says what this node may not have seen: the bucket has lost something. */
  #sawEpoch(entry: BucketEntry | undefined): void {
    // Then it is read, and raised if need be, before this node's next term.
    if (this.#mustRaise || this.#asking > 0) return;
    const epoch = epochIn(entry);
    const seen = this.#seenEpoch;
    if (seen !== undefined && epoch <= seen) return;
    // Not taken for seen: before its next term this node finds it raised.
    if (seen !== undefined && isOfLoss(entry) && this.#lease.phase === "held") this.#bucket.behind();
    else this.#seenEpoch = epoch;
  }

  /** The bucket says that it is another one, or behind. */
  #reset(): void {
    // It was this node that told it.
    if (this.#awaitsReset) this.#awaitsReset = false;
    else {
      this.#isReset = true;
      this.#forgetBucket();
      this.#step({ type: "reset" });
      this.#isReset = false;
    }
  }

  /** The lease was lost with the bucket. */
  #foundBehind(): void {
    if (this.#isReset) return;
    this.#forgetBucket();
    // All else that was read of it holds no more, and its reset is of this loss: one loss raises the epoch once.
    this.#awaitsReset = true;
    this.#bucket.behind();
  }

  #forgetBucket(): void {
    this.#watch.seen.clear();
    this.#mustRaise = true;
    void this.#leases.read();
    this.#listener.bucketReset();
  }

  #seen(key: string, entry: BucketEntry | undefined): void {
    const node = key.slice(LEASE_PREFIX.length);
    if (!NODE_NAME.test(node)) return;
    const lease = leaseIn(entry);
    const known = this.#watch.seen.get(node)?.entry;
    if (known === undefined && this.#watch.seen.size >= MOST_SEEN) return;
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
        if (action.why === "bucket") this.#foundBehind();
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

/** 0 for what is none: one is raised to the time of day where that is later, so none is far ahead of it. */
function epochIn(entry: BucketEntry | undefined): number {
  const { epoch } = (entry?.value ?? {}) as { epoch?: unknown };
  const isOne = Number.isSafeInteger(epoch) && (epoch as number) > 0 && (epoch as number) < Date.now() + MOST_AHEAD_MS;
  return isOne ? (epoch as number) : 0;
}

/** The epoch was raised because the bucket was found behind, or another one. */
function isOfLoss(entry: BucketEntry | undefined): boolean {
  return (entry?.value as { behind?: unknown } | undefined)?.behind === true;
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

/** Whether the term of an owner is over that has written something at `since`, where its node's lease is this: no term comes again. */
function isOver({ incarnation, term }: Owner, { value, revision }: LeaseEntry, since: number): boolean {
  const isItsOwn = value.incarnation === incarnation && value.term === term;
  return isItsOwn ? value.revokedBy !== undefined : revision > since;
}

function isSameOwner(one: LeaseValue | undefined, other: LeaseValue | undefined): boolean {
  return one?.incarnation === other?.incarnation && one?.term === other?.term && one?.revokedBy === other?.revokedBy;
}
