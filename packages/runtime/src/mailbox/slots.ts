import {
  acquire,
  CALL_TIMEOUT,
  DATA_BYTES,
  DATA_OFFSET,
  ENDPOINT_SET_BITS,
  ENDPOINT_SET_WORDS,
  formatSlot,
  freeLock,
  HANDLED_SEQ,
  HEAD,
  IN_FLIGHT_OFFSET,
  KIND_PADDING,
  kindOf,
  LOCK,
  MAILBOX_LANE,
  MAX_SEGMENT_BYTES,
  moveTo,
  PAGE_BYTES,
  PARKED,
  PEERS,
  type Producer,
  R_LENGTH,
  R_SEQ,
  R_TYPE,
  recordSpan,
  recountSeqs,
  release,
  Segments,
  type SlotAddress,
  type SlotLayout,
  type SlotMemory,
  SPACE,
  SYSTEM_LANE,
  slotAddress,
  slotBytes,
  TAIL,
  vacate,
  wakeAll,
} from "@mini-otp/worker-host/protocol/memory";
import { copyAccepted, layoutOf } from "./relocation.js";
import { uids } from "./uids.js";

/** The operating system provides memory only when it is touched, so a segment may be large. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** As often main waits for a lock, each time with its patience. */
const LOCK_TRIES = 10;

export interface Slot {
  readonly uid: number;
  readonly address: SlotAddress;
  readonly endpointIndex: number;
  readonly memory: SlotMemory;
}

/** Allocates slots of shared memory and takes them back. Announces a new segment to every thread before it is used. */
export class Slots {
  readonly segments = new Segments();
  readonly #onSegment: (buffer: SharedArrayBuffer) => void;
  /** Free slots by size. Memory is used again only for a slot of the same size, so its words keep their places. */
  readonly #free = new Map<number, SlotAddress[]>();
  /**
   * The last slot of each endpoint index; it may be free by now. An index belongs to an address for ever, because sets
   * of endpoints outlive the actors in them and must lead to the same memory.
   */
  readonly #byEndpoint: Slot[] = [];
  readonly #indexes = new Map<SlotAddress, number>();
  readonly #byUid = new Map<number, Slot>();
  /** The segment that slots are carved from. */
  #segment = 0;
  #used = 0;
  #size = 0;
  /** Tables of cells that no partition has, by their bytes. */
  readonly #freeTables = new Map<number, number[]>();

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
    const bytes = pagesOf(slotBytes(layout));
    const address = this.#free.get(bytes)?.pop() ?? this.#carve(bytes);
    const uid = uids.take();
    const endpointIndex = this.#indexOf(address);
    formatSlot(this.segments.headerAt(address), { ...layout, uid, endpointIndex });
    const slot: Slot = { uid, address, endpointIndex, memory: this.segments.at(address) };
    this.#byUid.set(uid, slot);
    this.#byEndpoint[endpointIndex] = slot;
    return slot;
  }

  /**
   * Gives an actor another slot, because a thread that survived its kill may still write to this one. Senders are sent
   * on. The accepted messages move along, with the consumer's present position. The caller releases the old slot once
   * its thread has ended and the actor is gone.
   *
   * Order: the new slot is locked before a sender can learn of it, the old one refuses messages before its content is
   * copied, and the new one is unlocked after that. So every sender's messages stay in order.
   */
  relocate(slot: Slot, producer: Producer): Slot {
    const { words } = slot.memory;
    const address = this.#carve(pagesOf(slot.memory.bytes.length));
    const endpointIndex = this.#indexOf(address);
    const header = this.segments.headerAt(address);
    // Fresh memory: no other thread knows the lock yet.
    Atomics.store(header, MAILBOX_LANE + LOCK, producer.ownerId);
    formatSlot(header, { ...layoutOf(words), uid: slot.uid, endpointIndex });
    const moved: Slot = { uid: slot.uid, address, endpointIndex, memory: this.segments.at(address) };
    header[CALL_TIMEOUT] = words[CALL_TIMEOUT];
    moveTo(words, address);
    // A producer that saw the slot open before is inside for a moment only, unless it died there. Then its record was
    // never sent.
    let locked = false;
    for (let tries = 0; tries < LOCK_TRIES && !locked; tries++) locked = acquire(words, MAILBOX_LANE + LOCK, producer);
    copyAccepted(slot.memory, moved.memory);
    if (locked) release(words, MAILBOX_LANE + LOCK);
    release(header, MAILBOX_LANE + LOCK);
    wakeAll(words, MAILBOX_LANE + SPACE);
    this.#byUid.set(slot.uid, moved);
    this.#byEndpoint[endpointIndex] = moved;
    return moved;
  }

  /** Takes a slot back, whose mailbox is closed and whose locks are free. */
  release(slot: Slot): void {
    const { words } = slot.memory;
    vacate(words);
    if (this.#byUid.get(slot.uid) === slot) {
      this.#byUid.delete(slot.uid);
      uids.free(slot.uid);
    }
    const bytes = pagesOf(slot.memory.bytes.length);
    const free = this.#free.get(bytes);
    if (free === undefined) this.#free.set(bytes, [slot.address]);
    else free.push(slot.address);
  }

  /** The slots of the set of endpoints at word `set` of `slot`, including free ones. */
  *members(slot: Slot, set: number): Generator<Slot> {
    const { words } = slot.memory;
    for (let word = 0; word < ENDPOINT_SET_WORDS; word++) {
      for (let bits = Atomics.load(words, set + word); bits !== 0; bits &= bits - 1) {
        const bit = word * 32 + 31 - Math.clz32(bits & -bits);
        for (let index = bit; index < this.#byEndpoint.length; index += ENDPOINT_SET_BITS)
          yield this.#byEndpoint[index];
      }
    }
  }

  /**
   * Repairs what the thread `ownerId`, which consumed `slot`, left when it exited: frees the locks that it held, and
   * wakes every sleeper that it may not have woken, if it died between making work and ringing.
   */
  repair(slot: Slot, ownerId: number): void {
    for (const { memory } of [slot, ...this.members(slot, PEERS)]) {
      const { words } = memory;
      for (const lane of [MAILBOX_LANE, SYSTEM_LANE]) {
        if (Atomics.load(words, lane + LOCK) === ownerId) {
          recount(words, lane);
          freeLock(words, lane);
        }
        wakeAll(words, lane + SPACE);
      }
      wakeAll(words, PARKED);
    }
  }

  /** A segment for a table of light actors' cells. One that was used before keeps the cells' generations. */
  allocateTable(bytes: number): { readonly segment: number; readonly words: Int32Array } {
    const segment = this.#freeTables.get(bytes)?.pop() ?? this.#announce(new SharedArrayBuffer(bytes));
    return { segment, words: this.segments.table(segment) as Int32Array };
  }

  /** Takes a table back in which no member lives. */
  releaseTable(segment: number): void {
    const bytes = this.segments.buffers[segment].byteLength;
    const free = this.#freeTables.get(bytes);
    if (free === undefined) this.#freeTables.set(bytes, [segment]);
    else free.push(segment);
  }

  #announce(buffer: SharedArrayBuffer): number {
    this.segments.add(buffer);
    this.#onSegment(buffer);
    return this.segments.buffers.length - 1;
  }

  #indexOf(address: SlotAddress): number {
    const index = this.#indexes.get(address) ?? this.#indexes.size;
    this.#indexes.set(address, index);
    return index;
  }

  #carve(bytes: number): SlotAddress {
    if (this.#used + bytes > this.#size) {
      this.#size = Math.min(Math.max(SEGMENT_BYTES, bytes), MAX_SEGMENT_BYTES);
      this.#used = 0;
      const buffer = new SharedArrayBuffer(this.#size);
      this.#segment = this.#announce(buffer);
    }
    const address = slotAddress(this.#segment, this.#used);
    this.#used += bytes;
    return address;
  }
}

function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/**
 * Counts the seqs afresh from the published records, after a producer died inside: its record may be written but not
 * published, and its seq counted or not.
 */
function recount(words: Int32Array, ring: number): void {
  const tail = Atomics.load(words, ring + TAIL);
  const mask = words[ring + DATA_BYTES] - 1;
  let position = Atomics.load(words, ring + HEAD);
  let seq = words[ring + HANDLED_SEQ];
  let first: number | undefined;
  while (position !== tail) {
    const at = (words[ring + DATA_OFFSET] + (position & mask)) >> 2;
    if (words[ring + IN_FLIGHT_OFFSET] !== 0) first ??= words[at + R_SEQ];
    if (kindOf(words[at + R_TYPE]) !== KIND_PADDING) seq = (words[at + R_SEQ] + 1) | 0;
    position = (position + recordSpan(words[at + R_LENGTH])) | 0;
  }
  // `first`, because a producer that dropped records may have counted one whose place it had not given up yet.
  recountSeqs(words, ring, seq, first);
}
