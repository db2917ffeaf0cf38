import v8 from "node:v8";
import { type CollectGarbage, garbageCollector } from "@mini-otp/worker-host/protocol/port";
import { BYTES_PER_MB } from "./probe.js";

/**
 * Up to V8 12 (Node 20 and 22) a thread that collects its whole heap holds a lock of the process from the start of its
 * marking, and another thread whose full collection comes due waits for it. Later versions take the lock at the end.
 */
const COLLECTIONS_WAIT = Number(process.versions.v8.split(".")[0]) < 13;
/** V8 collects a small heap again when it has grown by 8 MiB. */
const GROWTH_MB = 4;
/** A larger heap takes longer to collect than the wait is likely to take: 1 ms for each MiB. */
const SMALL_MB = 32;

/** Collects main's heap at good moments, so that main's own collection does not come due during one of an actor's. */
export class MainHeap {
  #collect: CollectGarbage | undefined;
  #leftMb = 0;

  /** Called while the first thread starts. V8 would run main's first full collection soon, at 9 MiB. */
  beforeActors(): void {
    this.#collectIfDue();
  }

  /** Before an actor's heap is collected. */
  beforeCollection(): void {
    if (COLLECTIONS_WAIT) this.#collectIfDue();
  }

  #collectIfDue(): void {
    const usedMb = oldMb();
    if (usedMb > SMALL_MB || usedMb < this.#leftMb + GROWTH_MB) return;
    this.#collect ??= garbageCollector();
    this.#collect();
    this.#leftMb = oldMb();
  }
}

/** Memory of objects that have survived a collection. */
function oldMb(): number {
  let bytes = 0;
  for (const { space_name, space_used_size } of v8.getHeapSpaceStatistics()) {
    if (!space_name.startsWith("new_")) bytes += space_used_size;
  }
  return bytes / BYTES_PER_MB;
}

/** Main's part of the resident set, by V8's numbers for main. */
export function mainMb(): number {
  const { total_physical_size, external_memory } = v8.getHeapStatistics();
  return (total_physical_size + external_memory) / BYTES_PER_MB;
}
