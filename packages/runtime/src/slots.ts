import {
  ENDPOINT_SET_BITS,
  ENDPOINT_SET_WORDS,
  formatSlot,
  IDENTITY,
  LOCK,
  MAILBOX_LANE,
  MAX_SEGMENT_BYTES,
  PAGE_BYTES,
  PARKED,
  PEERS,
  Segments,
  type SlotAddress,
  type SlotLayout,
  type SlotMemory,
  SPACE,
  SYSTEM_LANE,
  slotAddress,
  slotBytes,
  wakeAll,
} from "@mini-otp/worker-host/protocol";
import { recount } from "./mailbox.js";

/** Memory is taken from the operating system only when it is touched, so a segment may be generous. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

export interface Slot {
  readonly uid: number;
  readonly address: SlotAddress;
  readonly endpointIndex: number;
  readonly memory: SlotMemory;
}

/** Hands out slots of shared memory and takes them back. Tells every thread of a new segment before it is used. */
export class Slots {
  readonly segments = new Segments();
  readonly #onSegment: (buffer: SharedArrayBuffer) => void;
  /** Freed slots by size: a slot is reused for one of the same size, so its words keep their places. */
  readonly #free = new Map<number, SlotAddress[]>();
  readonly #freeIndexes: number[] = [];
  readonly #byEndpoint: (Slot | undefined)[] = [];
  readonly #byUid = new Map<number, Slot>();
  #nextUid = 1;
  #used = 0;
  #size = 0;

  constructor(onSegment: (buffer: SharedArrayBuffer) => void) {
    this.#onSegment = onSegment;
  }

  get all(): IterableIterator<Slot> {
    return this.#byUid.values();
  }

  byUid(uid: number): Slot | undefined {
    return this.#byUid.get(uid);
  }

  allocate(layout: Omit<SlotLayout, "uid" | "endpointIndex">): Slot {
    const bytes = Math.ceil(slotBytes(layout) / PAGE_BYTES) * PAGE_BYTES;
    const address = this.#free.get(bytes)?.pop() ?? this.#carve(bytes);
    const uid = this.#nextUid++;
    const endpointIndex = this.#freeIndexes.pop() ?? this.#byEndpoint.length;
    formatSlot(this.segments.headerAt(address), { ...layout, uid, endpointIndex });
    const slot: Slot = { uid, address, endpointIndex, memory: this.segments.at(address) };
    this.#byUid.set(uid, slot);
    this.#byEndpoint[endpointIndex] = slot;
    return slot;
  }

  /** Takes a slot back. Its mailbox is closed, and nobody holds its locks. */
  release(slot: Slot): void {
    const { words } = slot.memory;
    Atomics.store(words, IDENTITY, 0);
    this.#byUid.delete(slot.uid);
    this.#byEndpoint[slot.endpointIndex] = undefined;
    this.#freeIndexes.push(slot.endpointIndex);
    const bytes = Math.ceil(slot.memory.bytes.length / PAGE_BYTES) * PAGE_BYTES;
    const free = this.#free.get(bytes);
    if (free === undefined) this.#free.set(bytes, [slot.address]);
    else free.push(slot.address);
  }

  /** The slots in a set of endpoints kept in `slot`'s memory. */
  *members(slot: Slot, set: number): Generator<Slot> {
    const { words } = slot.memory;
    for (let word = 0; word < ENDPOINT_SET_WORDS; word++) {
      for (let bits = Atomics.load(words, set + word); bits !== 0; bits &= bits - 1) {
        const bit = word * 32 + 31 - Math.clz32(bits & -bits);
        for (let index = bit; index < this.#byEndpoint.length; index += ENDPOINT_SET_BITS) {
          const member = this.#byEndpoint[index];
          if (member !== undefined) yield member;
        }
      }
    }
  }

  /**
   * After the thread `ownerId`, which consumed `slot`, has exited (it can write nothing any more): frees the locks
   * it died holding and wakes every sleeper it may have died without waking, between making work and ringing.
   */
  repair(slot: Slot, ownerId: number): void {
    for (const { memory } of [slot, ...this.members(slot, PEERS)]) {
      const { words } = memory;
      for (const lane of [MAILBOX_LANE, SYSTEM_LANE]) {
        if (Atomics.load(words, lane + LOCK) === ownerId) {
          recount(words, lane);
          Atomics.store(words, lane + LOCK, 0);
        }
        wakeAll(words, lane + SPACE);
      }
      wakeAll(words, PARKED);
    }
  }

  #carve(bytes: number): SlotAddress {
    if (this.#used + bytes > this.#size) {
      this.#size = Math.min(Math.max(SEGMENT_BYTES, bytes), MAX_SEGMENT_BYTES);
      this.#used = 0;
      const buffer = new SharedArrayBuffer(this.#size);
      this.segments.add(buffer);
      this.#onSegment(buffer);
    }
    const address = slotAddress(this.segments.buffers.length - 1, this.#used);
    this.#used += bytes;
    return address;
  }
}
