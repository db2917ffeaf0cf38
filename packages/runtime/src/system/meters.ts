import type { CallOutcome } from "@mini-otp/worker-host/protocol/calls";
import {
  HANDLING_HISTOGRAM,
  type HistogramReading,
  type NameTable,
  readHistogram,
  WAIT_HISTOGRAM,
} from "@mini-otp/worker-host/protocol/memory";
import type { ActorChild } from "../actor/actor-child.js";
import type { LossCause } from "../introspection/actor-meter.js";
import { statsOf } from "../introspection/actor-stats.js";
import type { DeadLetterCause } from "../reporting/events.js";
import type { ActorStats } from "../stats/actor-stats.js";
import type { PoolStats } from "../stats/pool-stats.js";
import type { RecentRestarts } from "../supervision/administration.js";

/** How an actor is told from others in metrics. */
export interface ActorIdentity {
  /** Path from the root. */
  readonly id: string;
  /** The name it is registered under, if it is. */
  readonly name: string | undefined;
  /** Of a router's member, the name that the router is registered under, if it is. */
  readonly router: string | undefined;
  /** Its module's file name, without `.actor.js` or `.js`. */
  readonly type: string;
}

/** Everything that is counted of an actor, over all its incarnations. Durations are in ms. */
export interface ActorMeters extends ActorIdentity {
  readonly stats: ActorStats;
  /** Messages that were sent and never handled. */
  readonly lost: Readonly<Record<LossCause, number>>;
  /** Calls to it, by how they ended for their callers. A call to an actor that is gone for good is counted nowhere. */
  readonly calls: Readonly<Record<CallOutcome, number>>;
  readonly wait: HistogramReading;
  readonly handling: HistogramReading;
  /** For how long its event loop ran something, out of how long its threads have been there. */
  readonly loop: { readonly busyMs: number; readonly elapsedMs: number };
  /** Lines of its log that were dropped: see the log. */
  readonly logDropped: number;
}

/** What metrics read of a supervisor. */
export interface SupervisorMeters {
  readonly id: string;
  readonly restarts: RecentRestarts;
  /** Of a supervisor with `threads`: all its light actors together. */
  readonly light?: LightMeters;
}

/** What metrics read of the light actors of a supervisor, all together. */
export interface LightMeters {
  /** The name of the template's module; empty when the template names none. */
  readonly type: string;
  readonly members: number;
  /** How many have ended, and how many of these otherwise than with `normal` or `shutdown`. */
  readonly ended: number;
  readonly crashed: number;
  readonly handled: number;
  /** Messages that wait in their mailboxes. */
  readonly queued: number;
}

/** What metrics read of a pool. */
export interface PoolMeters {
  readonly id: string;
  readonly stats: PoolStats;
}

/** What metrics read. Nothing here asks an actor: all of it is in shared memory, or main's own. */
export interface Meters {
  actors(): ActorMeters[];
  supervisors(): SupervisorMeters[];
  pools(): PoolMeters[];
  /** The actor at this path. */
  actor(id: string): ActorIdentity | undefined;
  deadLetters(): Readonly<Record<DeadLetterCause, number>>;
  /** Calls `listener` with the last numbers of each actor that is gone for good. Returns the function that takes it off. */
  onGone(listener: (last: ActorMeters) => void): () => void;
}

export function identityOf({ id, spec, kind }: ActorChild): ActorIdentity {
  return { id, name: spec.name, router: spec.router, type: kind };
}

export function metersOf(child: ActorChild, names: NameTable): ActorMeters {
  const { words } = child.slot.memory;
  const stats = statsOf(child, names);
  const { lost, calls, loop, logDropped } = child.meter;
  return {
    ...identityOf(child),
    stats,
    lost,
    calls,
    wait: readHistogram(words, WAIT_HISTOGRAM),
    handling: readHistogram(words, HANDLING_HISTOGRAM),
    loop,
    logDropped,
  };
}
