/** One number for a connection of any partition in any of its lives: 6 bits of partition, 32 of serial, the incarnation. */
export const MAX_PARTITIONS = 64;
const SERIALS = 2 ** 32;

export function connectionId(partition: number, incarnation: number, serial: number): number {
  return (incarnation * SERIALS + serial) * MAX_PARTITIONS + partition;
}

export function partitionOf(id: number): number {
  return id % MAX_PARTITIONS;
}

export function incarnationOf(id: number): number {
  return Math.floor(id / MAX_PARTITIONS / SERIALS);
}
