import type { ActorStats, TreeNode } from "@mini-otp/runtime";
import type { ActorRow, Latency, NodeState, Row } from "../ui/wire.js";
import { cut } from "./text.js";

/** An actor's counters at one look, from which its rates are computed. */
export interface Counters {
  readonly at: number;
  readonly handled: number;
  readonly cpuMs: number;
}

export interface Rates {
  readonly handledPerSecond: number;
  readonly cpuPercent: number | undefined;
}

export function countersOf(stats: ActorStats, at: number): Counters {
  return { at, handled: stats.mailbox.handled, cpuMs: stats.cpuMs };
}

/** The rates between two looks. At the first look there are none. */
export function ratesOf(before: Counters | undefined, now: Counters): Rates {
  if (before === undefined || now.at <= before.at) return { handledPerSecond: 0, cpuPercent: undefined };
  const seconds = (now.at - before.at) / 1000;
  // The counters of a slot that another actor has got start again from 0.
  const handled = Math.max(0, now.handled - before.handled);
  return {
    handledPerSecond: round(handled / seconds),
    cpuPercent: round(Math.max(0, (now.cpuMs - before.cpuMs) / seconds / 10)),
  };
}

/** The nodes of the tree, from top to bottom. */
export function* flatten(
  node: TreeNode,
  name = node.id,
  depth = 0,
): Generator<{ node: TreeNode; name: string; depth: number }> {
  yield { node, name, depth };
  for (const child of node.children ?? []) yield* flatten(child, child.id.slice(node.id.length + 1), depth + 1);
}

export function rowOf(
  { node, name, depth }: { node: TreeNode; name: string; depth: number },
  rates: Rates,
  now: number,
  before: Row | undefined,
  lastExit: Row["lastExit"],
): Row {
  const { id, type, state, restart, stats, flags, members } = node;
  return {
    id,
    name: cut(name, 300),
    depth,
    type,
    state: stateOf(state, stats),
    restart,
    restarts: stats?.restarts ?? 0,
    ...(lastExit === undefined ? {} : { lastExit }),
    ...(stats === undefined ? {} : { actor: actorRow(stats, rates, now, before?.actor) }),
    ...(members === undefined ? {} : { members }),
    ...(flags === undefined ? {} : { supervisor: supervisorRow(flags) }),
  };
}

function stateOf(state: TreeNode["state"], stats: ActorStats | undefined): NodeState {
  return state === "running" && stats?.state === "suspended" ? "suspended" : state;
}

function supervisorRow({ strategy, intensity, periodMs, dynamic }: NonNullable<TreeNode["flags"]>) {
  return { strategy, intensity, periodMs, dynamic };
}

function actorRow(
  stats: ActorStats,
  { handledPerSecond, cpuPercent }: Rates,
  now: number,
  before?: ActorRow,
): ActorRow {
  const { mailbox, incarnation, heapUsedMb, heapCapMb, offHeapMb, streams, silentMs, latency, process } = stats;
  const { length, capacity, bytes, capacityBytes, dropped, handled, blockedMs, oldestAgeMs } = mailbox;
  return {
    incarnation,
    mailbox: {
      length,
      capacity,
      bytes,
      capacityBytes,
      dropped,
      blockedMs: Math.round(blockedMs),
      oldestAgeMs: Math.round(oldestAgeMs),
    },
    handled,
    handledPerSecond,
    heapMb: round(heapUsedMb),
    heapCapMb,
    offHeapMb: round(offHeapMb),
    ...(process === undefined ? {} : { process: { pid: process.pid, rssMb: round(process.rssMb) } }),
    ...(cpuPercent === undefined ? {} : { cpuPercent }),
    latency: latencyRow(latency),
    handling: handlingOf(stats, now, before),
    streams,
    silentMs: Math.round(silentMs),
  };
}

function latencyRow({ p50Ms, p99Ms, maxMs }: Latency): Latency {
  return { p50Ms: fine(p50Ms), p99Ms: fine(p99Ms), maxMs: fine(maxMs) };
}

/** The guard's times differ by up to a round. A start that moves by less than this counts as the same. */
const SAME_START_MS = 300;

function handlingOf({ handling }: ActorStats, now: number, before: ActorRow | undefined): ActorRow["handling"] {
  if (handling === null) return null;
  const method = cut(handling.method, 200);
  const since = Math.round(now - handling.sinceMs);
  const seen = before?.handling;
  const same = seen?.method === method && Math.abs(seen.since - since) < SAME_START_MS;
  return { method, since: same ? seen.since : since };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function fine(value: number): number {
  return Math.round(value * 1000) / 1000;
}
