import { randomUUID } from "node:crypto";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  CELL_IDENTITY,
  CELL_INCARNATION,
  CELL_WORDS,
  cellAddress,
  cellOf,
  generationOf,
  lengthIn,
  TABLE_CURRENT,
  TABLE_HANDLED,
  TABLE_QUEUED,
  TABLE_QUEUED_BYTES,
  uidOfGeneration,
} from "@mini-otp/worker-host/protocol/memory";
import { HandlerGrowth } from "./handler-growth.js";
import type { LightTarget } from "./light-actors.js";
import { Survivors } from "./survivors.js";

type Life = readonly [cell: number, generation: number];
const NO_LIFE: Life = [0, 0];

export function isOverMemory({ kind }: ExitReason): boolean {
  return kind === "heap_cap_exceeded" || kind === "off_heap_cap_exceeded";
}

/** One partition as main knows it: its table of cells, and its members by id. */
export class PartitionSlot {
  /** What a message to the partition itself begins with when it is the runtime's: users have its reference, too. */
  readonly key = randomUUID();
  readonly index: number;
  readonly segment: number;
  readonly words: Int32Array;
  /** Started by main, or by a member, and not ended as far as main has heard. */
  readonly members = new Map<string, LightTarget>();
  readonly survivors: Survivors;
  readonly ended: Record<string, number> = {};
  /** Modules that others have taken the place of: by what specs say, joined. */
  readonly upgraded = new Map<string, readonly string[]>();
  #handled = 0;
  #handledSeen = 0;
  /** Starts that are under way. */
  starting = 0;
  readonly growth = new HandlerGrowth();
  /** Its thread ends over its memory: main's guard ends it, and not V8 in the midst of an allocation. */
  #isEndedFull = false;
  /** When it was last asked to weigh its members, in `performance.now` time. */
  weighedAt = -Infinity;

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

  /** Messages that its members have handled, over all its threads. */
  get handled(): number {
    const now = this.words[TABLE_HANDLED];
    this.#handled += (now - this.#handledSeen) >>> 0;
    this.#handledSeen = now;
    return this.#handled;
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

  /** The present life of a member that lives; the next one while its partition has no thread. */
  lifeOf({ address }: Pick<LightTarget, "address">): number {
    return Atomics.load(this.words, cellOf(address) * CELL_WORDS + CELL_INCARNATION);
  }

  queueOf({ address }: LightTarget): number {
    return Math.max(0, lengthIn(this.words, cellOf(address) * CELL_WORDS));
  }

  /**
   * The member over which the thread has ended: whose code ran, or who holds too much of the memory that it ended over;
   * undefined when there is none, or it is not known.
   */
  culprit(reason: ExitReason): Pick<LightTarget, "address" | "uid"> | undefined {
    const [cell, generation] = isOverMemory(reason) ? this.#holder : this.#running;
    return cell === 0 ? undefined : { address: cellAddress(this.segment, cell), uid: uidOfGeneration(generation) };
  }

  get #running(): Life {
    const current = this.words[TABLE_CURRENT];
    return this.survivors.culprit ?? [current, this.words[current * CELL_WORDS + CELL_IDENTITY] >>> 2];
  }

  overMemory(): void {
    this.#isEndedFull = true;
  }

  /** Another thread takes its place. */
  threadEnded(): void {
    this.growth.forget();
    this.#isEndedFull = false;
  }

  /** Whose code ran need not hold anything: it is whom the guard's collection has met. */
  get #holder(): Life {
    const hasFilled = !this.#isEndedFull || this.growth.isMuch;
    return this.survivors.heaviest ?? (hasFilled ? this.#running : NO_LIFE);
  }

  count(kind: string, by = 1): void {
    this.ended[kind] = (this.ended[kind] ?? 0) + by;
  }
}
