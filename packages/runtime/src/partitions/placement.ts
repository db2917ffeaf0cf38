import { hashKey, memberForKey } from "@mini-otp/worker-host/protocol/memory";

const always = (): boolean => true;

/** The partition of the child with this id, under `place: "hash"`: the same in every process. */
export function partitionOf(id: string, count: number): number {
  return memberForKey(hashKey(id), count, always);
}

/** The partition with the fewest children, and among equals the first from `turn` on. */
export function leastLoaded<P extends { readonly load: number }>(turn: number, partitions: readonly P[]): P {
  let best = partitions[turn];
  for (let step = 1; step < partitions.length; step++) {
    const partition = partitions[(turn + step) % partitions.length];
    if (partition.load < best.load) best = partition;
  }
  return best;
}
