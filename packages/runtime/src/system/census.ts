import type { NameTable } from "@mini-otp/worker-host/protocol/memory";
import { ActorChild } from "../actor/actor-child.js";
import type { Directory, Referable } from "../directory/directory.js";
import type { GuardStats } from "../guard/watched.js";
import { statsOf } from "../introspection/actor-stats.js";
import { type LastSeen, lastSeen } from "../reporting/last-seen.js";
import { callSafely } from "../reporting/listeners.js";
import type { Log } from "../reporting/log.js";
import type { ActorStats } from "../stats/actor-stats.js";
import type { PoolStats } from "../stats/pool-stats.js";
import type { RouterStats } from "../stats/router-stats.js";
import { type ActorIdentity, type ActorMeters, identityOf, metersOf } from "./meters.js";

/** A sleeper's counts are read once in this many rounds: at 250 ms a round, once a minute. */
const ROUNDS_FOR_ALL = 240;

/** The numbers of a system's actors: stats, meters, and last readings. */
export class Census {
  readonly #directory: Directory;
  readonly #names: NameTable;
  readonly #lastStats: (actor: ActorChild) => GuardStats | undefined;
  readonly #logger: Log;
  readonly #goneListeners = new Set<(last: ActorMeters) => void>();
  #rounds = 0;

  /** `lastStats` gives what the guard knew of an actor's thread when it exited. */
  constructor(
    directory: Directory,
    names: NameTable,
    lastStats: (actor: ActorChild) => GuardStats | undefined,
    logger: Log,
  ) {
    this.#directory = directory;
    this.#names = names;
    this.#lastStats = lastStats;
    this.#logger = logger;
  }

  /** Undefined for a pool, and for an actor or a router that is gone for good. */
  stats(uid: number): ActorStats | undefined {
    const child = this.#directory.actor(uid);
    return child === undefined ? this.#directory.router(uid)?.stats() : statsOf(child, this.#names);
  }

  statsOf(found: Referable): ActorStats | RouterStats | PoolStats {
    return found instanceof ActorChild ? statsOf(found, this.#names) : found.stats();
  }

  meters(): ActorMeters[] {
    return Array.from(this.#directory.actors, (child) => metersOf(child, this.#names));
  }

  identity(id: string): ActorIdentity | undefined {
    const child = this.#directory.actorAt(id);
    return child === undefined ? undefined : identityOf(child);
  }

  /** The last facts about an actor that has just ended. */
  lastSeen(id: string): LastSeen {
    const child = this.#directory.actorAt(id);
    return child === undefined ? {} : lastSeen(child, this.#lastStats(child), this.#names);
  }

  onGone(listener: (last: ActorMeters) => void): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  gone(child: ActorChild): void {
    if (this.#goneListeners.size === 0) return;
    const last = metersOf(child, this.#names);
    for (const listener of this.#goneListeners) {
      callSafely(
        () => listener(last),
        (error) => this.#logger.error({ actor: child.id, err: error }, `a listener for the end of ${child.id} threw`),
      );
    }
  }

  /** Reads counters before they wrap. Returns the actors that have not slept since the round before. */
  takeRound(): ActorChild[] {
    this.#rounds++;
    const stirring: ActorChild[] = [];
    for (const child of this.#directory.actors) {
      const { words } = child.slot.memory;
      // A sleeping actor costs only this look.
      const isQuiet = child.meter.isQuiet(words);
      if (!isQuiet || (child.slot.uid + this.#rounds) % ROUNDS_FOR_ALL === 0) child.meter.read(child.mailbox, words);
      if (!isQuiet) stirring.push(child);
    }
    return stirring;
  }
}
