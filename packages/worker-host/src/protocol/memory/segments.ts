import { SLOT_BYTES, SLOT_HEADER_WORDS } from "./slot-descriptor.js";

/*
 * Slots lie in a few large SharedArrayBuffers, the segments, which every thread holds. An address is one int32, so a
 * thread can use a reference in a message at once, without asking main for memory:
 *
 *   bits 20–30  segment index
 *   bits  0–19  page in the segment (4 096 bytes each)
 */
export const PAGE_BYTES = 4096;
const PAGE_BITS = 20;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
export const MAX_SEGMENT_BYTES = (1 << PAGE_BITS) * PAGE_BYTES;

export type SlotAddress = number;

/** One thread's view of a slot. */
export interface SlotMemory {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

export function slotAddress(segment: number, byteOffset: number): SlotAddress {
  return (segment << PAGE_BITS) | (byteOffset / PAGE_BYTES);
}

function segmentOf(address: SlotAddress): number {
  return address >>> PAGE_BITS;
}

export class Segments {
  readonly #buffers: SharedArrayBuffer[] = [];
  readonly #tables: (Int32Array | undefined)[] = [];

  get buffers(): readonly SharedArrayBuffer[] {
    return this.#buffers;
  }

  add(buffer: SharedArrayBuffer): void {
    this.#buffers.push(buffer);
  }

  has(address: SlotAddress): boolean {
    return segmentOf(address) < this.#buffers.length;
  }

  /** The table of cells that is this segment; undefined while this thread does not have it. */
  table(segment: number): Int32Array | undefined {
    let table = this.#tables[segment];
    if (table === undefined && segment < this.#buffers.length) {
      table = new Int32Array(this.#buffers[segment]);
      this.#tables[segment] = table;
    }
    return table;
  }

  /** The words that every slot has, whatever its size. */
  headerAt(address: SlotAddress): Int32Array {
    return new Int32Array(this.#buffers[segmentOf(address)], offsetOf(address), SLOT_HEADER_WORDS);
  }

  /** The slot at `address`, whose size is in its own header. */
  at(address: SlotAddress): SlotMemory {
    const bytes = this.headerAt(address)[SLOT_BYTES];
    const buffer = this.#buffers[segmentOf(address)];
    const offset = offsetOf(address);
    return { words: new Int32Array(buffer, offset, bytes >> 2), bytes: new Uint8Array(buffer, offset, bytes) };
  }
}

function offsetOf(address: SlotAddress): number {
  return (address & PAGE_MASK) * PAGE_BYTES;
}
