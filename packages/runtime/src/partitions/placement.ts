import { hashKey, memberForKey } from "@mini-otp/worker-host/protocol/memory";

const always = (): boolean => true;

/** The partition of the child with this id, under `place: "hash"`: the same in every process. */
export function partitionOf(id: string, count: number): number {
  return memberForKey(hashKey(id), count, always);
}

/** The partition with the fewest children, and among equals the first from `turn` on. */
export function leastLoaded(turn: number, loads: readonly number[]): number {
  let best = 0;
  let least = Infinity;
  for (let step = 0; step < loads.length; step++) {
    const partition = (turn + step) % loads.length;
    if (loads[partition] >= least) continue;
    best = partition;
    least = loads[partition];
  }
  return best;
}
