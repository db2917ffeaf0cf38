import v8 from "node:v8";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { BARE_THREAD_MB } from "../protocol/port/bare-thread.js";
import { type CollectGarbage, garbageCollector } from "../protocol/port/garbage-collector.js";
import { type Cell, UP } from "./cell.js";
import { Heaviest, type HeavyFrom } from "./heaviest.js";
import type { Caps, PartitionParts } from "./parts.js";
import type { Roster } from "./roster.js";

const { getHeapStatistics } = v8;
const BYTES_PER_MB = 2 ** 20;
/** A member that holds this share of a cap is ended once the partition is over the other share. */
const HEAVY_SHARE = 0.25;
const FULL_SHARE = 0.75;
/** Members are weighed for so long at once, then the partition's other work has its turn. */
const SLICE_MS = 8;
/** After a weighing, so many times as long without one; as long when one holds too much, and there is room yet without garbage. */
const REST_FACTOR = 10;
const MIN_REST_MS = 250;
/** Before the thread is killed, which waits for it: 100 000 small states take 0.2 to 0.5 s, and 30 MB of one that two share 1.1 s. */
const LAST_MS = 1_500;

/**
 * Which member holds most of a partition's memory. One that holds more than a quarter of it, by what its state refers to, ends
 * alone before the partition is over its cap.
 */
export class MemberWeights {
  readonly #parts: PartitionParts;
  readonly #roster: Roster;
  readonly #caps: Caps;
  readonly #end: (cell: Cell, reason: ExitReason) => void;
  #collect: CollectGarbage | undefined;
  #restsUntil = 0;
  #isWeighing = false;

  constructor(parts: PartitionParts, roster: Roster, caps: Caps, end: (cell: Cell, reason: ExitReason) => void) {
    this.#parts = parts;
    this.#roster = roster;
    this.#caps = caps;
    this.#end = end;
  }

  /** Main has seen that the partition is nearly full, perhaps with garbage. */
  weigh(): void {
    const begun = performance.now();
    if (this.#isWeighing || begun < this.#restsUntil) return;
    this.#isWeighing = true;
    const heaviest = this.#heaviest();
    let workedMs = 0;
    const slice = (): void => {
      const from = performance.now();
      const isDone = heaviest.work(from + SLICE_MS);
      if (isDone && heaviest.found !== undefined) this.#judge(heaviest.found.of);
      const now = performance.now();
      workedMs += now - from;
      if (isDone) {
        this.#isWeighing = false;
        const restMs = heaviest.found === undefined ? Math.max(MIN_REST_MS, REST_FACTOR * workedMs) : workedMs;
        this.#restsUntil = now + restMs;
      } else {
        this.#parts.attribution.asNone(() => setImmediate(slice));
      }
    };
    slice();
  }

  /**
   * The member that holds more than its share, found at once; undefined when none is known to. A search that was cut short says
   * nothing: one that was not met yet may share what the heaviest one holds.
   */
  heaviest(): Cell | undefined {
    const heaviest = this.#heaviest();
    return heaviest.work(performance.now() + LAST_MS) ? heaviest.found?.of : undefined;
  }

  #heaviest(): Heaviest<Cell> {
    const states = [...this.#roster.cells].map((cell) => ({ of: cell, state: cell.context?.state }));
    return new Heaviest(states, this.#limits);
  }

  get #limits(): HeavyFrom {
    const { heapCapMb, offHeapCapMb } = this.#caps;
    return {
      heapBytes: HEAVY_SHARE * heapCapMb * BYTES_PER_MB,
      offHeapBytes: HEAVY_SHARE * offHeapCapMb * BYTES_PER_MB,
    };
  }

  /** Garbage is no member's: without it the partition may have room. And the member may have let go meanwhile. */
  #judge(cell: Cell): void {
    this.#collect ??= garbageCollector();
    this.#collect();
    const { used_heap_size, external_memory } = getHeapStatistics();
    const { heapCapMb, offHeapCapMb } = this.#caps;
    const isHeapFull = used_heap_size > FULL_SHARE * (heapCapMb + BARE_THREAD_MB) * BYTES_PER_MB;
    const isOffHeapFull = external_memory > FULL_SHARE * offHeapCapMb * BYTES_PER_MB;
    if (!isHeapFull && !isOffHeapFull) return;
    const again = new Heaviest([{ of: cell, state: cell.context?.state }], this.#limits);
    again.work(Infinity);
    const { found } = again;
    if (found === undefined || cell.phase !== UP) return;
    const [heapMb, offHeapMb] = [found.heapBytes / BYTES_PER_MB, found.offHeapBytes / BYTES_PER_MB];
    if (isHeapFull && heapMb > HEAVY_SHARE * heapCapMb)
      this.#end(cell, { kind: "heap_cap_exceeded", heapCapMb, usedMb: heapMb });
    else if (isOffHeapFull && offHeapMb > HEAVY_SHARE * offHeapCapMb)
      this.#end(cell, { kind: "off_heap_cap_exceeded", offHeapCapMb, usedMb: offHeapMb });
  }
}
