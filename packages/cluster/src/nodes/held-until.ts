import type { Clocks } from "./lease.js";

/*
 * Until when a lease is held, for the threads of what is owned: two numbers in shared memory, in nanoseconds.
 *
 *   0  of `process.hrtime`, which all threads of a process share
 *   1  of the wall clock
 */
const MONO = 0;
const WALL = 1;
const NS_PER_MS = 1e6;

/** Not held. */
export function newUntil(): BigInt64Array {
  return new BigInt64Array(new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT));
}

/** `renewedAt` and `now` are by the main thread's own clocks. */
export function holdUntil(until: BigInt64Array, renewedAt: Clocks, holdMs: number, now: Clocks): void {
  const leftMs = renewedAt.mono + holdMs - now.mono;
  Atomics.store(until, MONO, process.hrtime.bigint() + BigInt(Math.floor(leftMs * NS_PER_MS)));
  Atomics.store(until, WALL, BigInt(Math.floor(renewedAt.wall + holdMs)) * BigInt(NS_PER_MS));
}

export function release(until: BigInt64Array): void {
  Atomics.store(until, MONO, 0n);
  Atomics.store(until, WALL, 0n);
}

/** In any thread. The earlier end counts. */
export function isHeldUntil(until: BigInt64Array): boolean {
  return (
    process.hrtime.bigint() < Atomics.load(until, MONO) &&
    BigInt(Date.now()) * BigInt(NS_PER_MS) < Atomics.load(until, WALL)
  );
}
