import {
  CELL_ACCEPTED,
  CELL_IDENTITY,
  CELL_TAKEN,
  CELL_WORDS,
  cellAddress,
  cellOf,
  generationOf,
  TABLE_CURRENT,
  TABLE_QUEUED,
  TABLE_QUEUED_BYTES,
  uidOfGeneration,
} from "@mini-otp/worker-host/protocol/memory";
import type { LightTarget } from "./light-actors.js";
import { Survivors } from "./survivors.js";

/** One partition as main knows it: its table of cells, and its members by id. */
export class PartitionSlot {
  readonly index: number;
  readonly segment: number;
  readonly words: Int32Array;
  /** Started by main, or by a member, and not ended as far as main has heard. */
  readonly members = new Map<string, LightTarget>();
  readonly survivors: Survivors;
  readonly ended: Record<string, number> = {};
  /** Starts that are under way. */
  starting = 0;

  constructor(index: number, segment: number, words: Int32Array) {
    this.index = index;
    this.segment = segment;
    this.words = words;
    this.survivors = new Survivors(words);
  }

  /** Children that live here, with those that are about to. */
  get load(): number {
    // Not the count in shared memory, which has those already that are still being answered for.
    return this.members.size + this.starting;
  }

  get queued(): number {
    return Math.max(0, this.words[TABLE_QUEUED]);
  }

  get queuedBytes(): number {
    return Math.max(0, this.words[TABLE_QUEUED_BYTES]);
  }

  lives({ address, uid }: Pick<LightTarget, "address" | "uid">): boolean {
    const identity = Atomics.load(this.words, cellOf(address) * CELL_WORDS + CELL_IDENTITY);
    return identity >>> 2 === generationOf(uid) && (identity & 3) !== 0;
  }

  queueOf({ address }: LightTarget): number {
    const at = cellOf(address) * CELL_WORDS;
    return Math.max(0, (this.words[at + CELL_ACCEPTED] - this.words[at + CELL_TAKEN]) | 0);
  }

  /** The member whose code ran when the thread ended; undefined when none did. */
  get culprit(): Pick<LightTarget, "address" | "uid"> | undefined {
    const current = this.words[TABLE_CURRENT];
    const [cell, generation] =
      this.survivors.culprit ?? ([current, this.words[current * CELL_WORDS + CELL_IDENTITY] >>> 2] as const);
    if (cell === 0) return undefined;
    return { address: cellAddress(this.segment, cell), uid: uidOfGeneration(generation) };
  }

  count(kind: string, by = 1): void {
    this.ended[kind] = (this.ended[kind] ?? 0) + by;
  }
}
