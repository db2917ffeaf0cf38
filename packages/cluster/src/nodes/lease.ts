/*
 * A node's lease: one key in the bucket, which its holder renews by compare-and-set and which others change only to
 * revoke it after having watched it unchanged for long. A function of events and two clocks, which come in as arguments:
 * a lease ends by the holder's own clocks, not by the bucket's.
 */

export interface LeaseTimes {
  readonly renewMs: number;
  /** The holder gives up what it owns so long after it sent the last renewal that was accepted. */
  readonly holdMs: number;
  /** A watcher revokes a lease that it has seen unchanged for so long. */
  readonly takeOverMs: number;
}

export const LEASE_PREFIX = "node.";

export function leaseKey(node: string): string {
  return LEASE_PREFIX + node;
}

/** What is in the key. */
export interface LeaseValue {
  readonly incarnation: string;
  /** One more each time that a node of this name takes it. */
  readonly term: number;
  /** The node that has revoked it, or "" when its holder gave it back. */
  readonly revokedBy?: string;
}

export interface LeaseEntry {
  readonly value: LeaseValue;
  readonly revision: number;
}

/** Monotonic, and of the wall: a stopped machine may stop either, so the earlier end holds. */
export interface Clocks {
  readonly mono: number;
  readonly wall: number;
}

/** "bucket": it is gone, made anew, or behind what was read of it before. */
export type LeaseLoss = "expired" | "revoked" | "bucket";

export type LeaseAction =
  | { readonly type: "read" }
  /** Compare-and-set: at this revision, or only if there is no key. */
  | { readonly type: "write"; readonly value: LeaseValue; readonly revision: number | undefined }
  | { readonly type: "granted"; readonly term: number }
  /** Another node of this name runs. */
  | { readonly type: "taken"; readonly by: string }
  | { readonly type: "lost"; readonly why: LeaseLoss };

export type LeaseEvent =
  | { readonly type: "begin" }
  | { readonly type: "tick" }
  | { readonly type: "read"; readonly entry: LeaseEntry | undefined }
  | { readonly type: "written"; readonly revision: number }
  /** The revision was another's. */
  | { readonly type: "refused" }
  /** No answer, or an error: it may have been done, or may yet be. */
  | { readonly type: "unknown" }
  /** The bucket is another one, or behind: its revisions begin again. */
  | { readonly type: "reset" };

export interface LeaseState {
  readonly incarnation: string;
  readonly times: LeaseTimes;
  phase: "idle" | "waiting" | "held" | "over";
  term: number;
  revision: number;
  /** A read or a write is under way. */
  busy: "read" | "write" | undefined;
  /** The former holder's, and since when it has not changed. */
  former: { readonly entry: LeaseEntry; readonly since: number } | undefined;
  /** When the write that is under way was sent, and the last accepted one. */
  sentAt: Clocks;
  renewedAt: Clocks;
  askedAt: number;
}

export function newLease(incarnation: string, times: LeaseTimes, now: Clocks): LeaseState {
  return {
    incarnation,
    times,
    phase: "idle",
    term: 0,
    revision: 0,
    busy: undefined,
    former: undefined,
    sentAt: now,
    renewedAt: now,
    askedAt: -Infinity,
  };
}

/** What the holder owns is its own, by its own clocks. */
export function isHeld(lease: LeaseState, now: Clocks): boolean {
  const { renewedAt, times } = lease;
  const age = Math.max(now.mono - renewedAt.mono, now.wall - renewedAt.wall);
  return lease.phase === "held" && age < times.holdMs;
}

export function leaseStep(lease: LeaseState, event: LeaseEvent, now: Clocks): LeaseAction[] {
  switch (event.type) {
    case "begin":
      if (lease.phase !== "idle" && lease.phase !== "over") return [];
      lease.phase = "waiting";
      lease.former = undefined;
      lease.busy = undefined;
      return read(lease, now);
    case "tick":
      return onTick(lease, now);
    case "read":
      if (lease.busy !== "read") return [];
      lease.busy = undefined;
      return lease.phase === "waiting" ? whileWaiting(lease, event.entry, now) : whileHeld(lease, event.entry);
    case "written":
      return onWritten(lease, event.revision, now);
    case "reset":
      lease.former = undefined;
      return lease.phase === "held" ? lost(lease, "bucket") : [];
    case "refused":
    case "unknown":
      if (lease.busy === undefined) return [];
      lease.busy = undefined;
      return lease.phase === "waiting" || lease.phase === "held" ? read(lease, now) : [];
  }
}

function onTick(lease: LeaseState, now: Clocks): LeaseAction[] {
  const { times } = lease;
  if (lease.phase === "held") {
    if (!isHeld(lease, now)) return lost(lease, "expired");
    if (lease.busy === undefined && now.mono - lease.sentAt.mono >= times.renewMs) return write(lease, now);
    return [];
  }
  if (lease.phase !== "waiting" || lease.busy !== undefined) return [];
  return now.mono - lease.askedAt >= Math.min(times.renewMs / 4, 1000) ? read(lease, now) : [];
}

function onWritten(lease: LeaseState, revision: number, now: Clocks): LeaseAction[] {
  if (lease.busy !== "write") return [];
  lease.busy = undefined;
  lease.revision = revision;
  lease.renewedAt = lease.sentAt;
  if (lease.phase === "held") return isHeld(lease, now) ? [] : lost(lease, "expired");
  if (lease.phase !== "waiting") return [];
  lease.phase = "held";
  // It took so long to be told of it that it is over: another node has had its time to take it.
  return isHeld(lease, now) ? [{ type: "granted", term: lease.term }] : lost(lease, "expired");
}

function whileWaiting(lease: LeaseState, entry: LeaseEntry | undefined, now: Clocks): LeaseAction[] {
  if (entry === undefined) return take(lease, undefined, 1, now);
  const { value, revision } = entry;
  if (value.revokedBy !== undefined || value.incarnation === lease.incarnation) {
    return take(lease, revision, value.term + 1, now);
  }
  const { former } = lease;
  if (former === undefined || former.entry.value.revokedBy !== undefined) {
    lease.former = { entry, since: now.mono };
    return [];
  }
  if (former.entry.revision !== revision) {
    lease.phase = "over";
    return [{ type: "taken", by: value.incarnation }];
  }
  return now.mono - former.since >= lease.times.takeOverMs ? take(lease, revision, value.term + 1, now) : [];
}

/** A renewal was refused, or its answer was lost. */
function whileHeld(lease: LeaseState, entry: LeaseEntry | undefined): LeaseAction[] {
  const { value, revision } = entry ?? {};
  // Only a key that was not renewed for longer than it is held is taken away, and revisions grow.
  if (revision === undefined || revision < lease.revision) return lost(lease, "bucket");
  const isOurs = value?.incarnation === lease.incarnation && value.term === lease.term && value.revokedBy === undefined;
  if (!isOurs) return lost(lease, "revoked");
  // It was accepted, but when is not known: that it is renewed counts from the next one.
  lease.revision = revision;
  return [];
}

function take(lease: LeaseState, revision: number | undefined, term: number, now: Clocks): LeaseAction[] {
  // A bucket that is behind does not know of all terms.
  lease.term = Math.max(term, lease.term + 1);
  lease.busy = "write";
  lease.sentAt = now;
  return [{ type: "write", value: { incarnation: lease.incarnation, term: lease.term }, revision }];
}

function write(lease: LeaseState, now: Clocks): LeaseAction[] {
  const { incarnation, term, revision } = lease;
  lease.busy = "write";
  lease.sentAt = now;
  return [{ type: "write", value: { incarnation, term }, revision }];
}

function read(lease: LeaseState, now: Clocks): LeaseAction[] {
  lease.busy = "read";
  lease.askedAt = now.mono;
  return [{ type: "read" }];
}

function lost(lease: LeaseState, why: LeaseLoss): LeaseAction[] {
  lease.phase = "over";
  lease.busy = undefined;
  return [{ type: "lost", why }];
}

/** The leases of other nodes, as one node has seen them. */
export interface WatchState {
  readonly takeOverMs: number;
  readonly seen: Map<string, { readonly entry: LeaseEntry; readonly since: number }>;
}

export function newWatch(takeOverMs: number): WatchState {
  return { takeOverMs, seen: new Map() };
}

/** What the bucket says of `node` now. */
export function watchStep(watch: WatchState, node: string, entry: LeaseEntry | undefined, mono: number): void {
  if (entry === undefined) watch.seen.delete(node);
  else if (watch.seen.get(node)?.entry.revision !== entry.revision) watch.seen.set(node, { entry, since: mono });
}

/** Leases that are to be revoked at the revision that was seen: theirs to keep no more. */
export function overdue(watch: WatchState, mono: number): { readonly node: string; readonly entry: LeaseEntry }[] {
  return [...watch.seen]
    .filter(([, { entry, since }]) => entry.value.revokedBy === undefined && mono - since >= watch.takeOverMs)
    .map(([node, { entry }]) => ({ node, entry }));
}

/** A lease that was given back or revoked is of use to the next process of its name for so many times `takeOverMs`. */
const KEPT_TIMES = 5;

/** Leases that no process has had for long: nodes may come under ever new names, and none of those comes back. */
export function unused(watch: WatchState, mono: number): { readonly node: string; readonly entry: LeaseEntry }[] {
  const keptMs = KEPT_TIMES * watch.takeOverMs;
  return [...watch.seen]
    .filter(([, { entry, since }]) => entry.value.revokedBy !== undefined && mono - since >= keptMs)
    .map(([node, { entry }]) => ({ node, entry }));
}
