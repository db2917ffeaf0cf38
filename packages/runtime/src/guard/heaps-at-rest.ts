import v8 from "node:v8";

/*
 * V8 takes a heap's first growth by 1 MiB for a sign of garbage, and collects it twice 8 s later, unless the thread
 * allocates much by then. Node's own start in a thread is such a growth: 27 ms of the CPU for 2 MiB that come free
 * (Node 20), in hundreds of threads at once while others still start, and up to V8 12 with main waiting whenever its
 * own collection comes due. A heap that V8 has collected for want of room is watched all the same.
 */

const FLAG = "memory-reducer-for-small-heaps";

/** Before the first thread starts. V8 reads the flag, one for all threads, whenever a heap grows. */
export function leaveSmallHeaps(): void {
  const isGiven = process.execArgv.some((arg) => arg.replaceAll("_", "-").endsWith(FLAG));
  if (!isGiven) v8.setFlagsFromString(`--no-${FLAG}`);
}
