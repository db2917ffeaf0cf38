import { hashKey } from "@mini-otp/worker-host/protocol/memory";

/** A node that may run shards. */
export interface Place {
  readonly node: string;
  readonly version: string;
}

/** Numbers in versions count as numbers: 2026.9 comes before 2026.11. */
const versions = new Intl.Collator("en", { numeric: true });

/**
 * The node for each shard: that of the newest version with the highest score (rendezvous hashing), the same on every node. A node
 * that joins takes its share from all others and no other shard moves; those of one that goes are spread over those that stay.
 */
export function placed(id: string, shards: number, places: readonly Place[]): (string | undefined)[] {
  const newest = places.reduce((most, { version }) => (versions.compare(version, most) > 0 ? version : most), "");
  const nodes = places.filter(({ version }) => versions.compare(version, newest) === 0).map(({ node }) => node);
  return Array.from({ length: shards }, (_, shard) => {
    let best: string | undefined;
    let bestScore = -1;
    for (const node of nodes) {
      const score = hashKey(`${node}/${id}/${shard}`) >>> 0;
      // Of two with one score the same one everywhere.
      if (score > bestScore || (score === bestScore && node < (best ?? ""))) {
        best = node;
        bestScore = score;
      }
    }
    return best;
  });
}

/** Whether all are of one version: while a rolling update goes on, nothing moves that need not. */
export function areOfOneVersion(places: readonly Place[]): boolean {
  return new Set(places.map(({ version }) => version)).size <= 1;
}

/** Since when the same nodes of the same versions may run shards, as a function of what is seen and when. */
export class Settling {
  readonly settleMs: number;
  #seen = "";
  #changedAt = -Infinity;

  constructor(settleMs: number) {
    this.settleMs = settleMs;
  }

  /** What may run shards now. True when it is not what it was. */
  saw(places: readonly Place[], now: number): boolean {
    const seen = JSON.stringify(places.map(({ node, version }) => [node, version]).sort());
    if (seen === this.#seen) return false;
    this.#seen = seen;
    this.#changedAt = now;
    return true;
  }

  /** Whether what has an owner may move: no node has come or gone for `settleMs`, and all are of one version. */
  mayMove(places: readonly Place[], now: number): boolean {
    return areOfOneVersion(places) && now - this.#changedAt >= this.settleMs;
  }
}

/** The shard of an entity. */
export function shardOf(entity: string, shards: number): number {
  return (hashKey(entity) >>> 0) % shards;
}
