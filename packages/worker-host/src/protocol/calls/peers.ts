import {
  CELL_INCARNATION,
  CELL_WORDS,
  cellOf,
  generationOf,
  isCellAddress,
  segmentOfCell,
  TABLE_ADDRESS,
  TABLE_UID,
} from "../memory/cells.js";
import type { Producer } from "../memory/ring-lock.js";
import type { Segments, SlotMemory } from "../memory/segments.js";
import {
  addEndpoint,
  BLOCK_TIMEOUT_MS,
  ENDPOINT_INDEX,
  LEAVES_WITH,
  MAILBOX_LANE,
  OVERFLOW,
  OVERFLOW_POLICIES,
  type OverflowPolicy,
  PEERS,
  SYSTEM_LANE,
  uidOf,
} from "../memory/slot-descriptor.js";
import { RingWriter } from "../ring/ring-writer.js";
import type { CallsTo } from "./calls-to.js";
import { MemberPeer } from "./member-peer.js";
import type { Peer, Self, Unsent } from "./peer.js";
import type { PendingCall } from "./pending-calls.js";

export type { Peer, Self, Unsent };

import { Queue } from "./queue.js";

/**
 * A class, because V8 keeps an object literal with a getter as a dictionary, and looks each of its properties up by
 * hash: 10 ns each, eight times in a call (Node 20).
 */
class SlotPeer implements Peer {
  readonly id: string;
  readonly address: number;
  readonly uid: number;
  readonly mailbox: RingWriter;
  readonly system: RingWriter;
  readonly overflow: OverflowPolicy;
  readonly blockTimeoutMs: number;
  readonly leavesWith: number;
  readonly unsent = new Queue<Unsent>();
  readonly member = undefined;
  readonly target = undefined;
  knownAsCaller = false;
  calls: CallsTo<PendingCall> | undefined = undefined;

  constructor(
    address: number,
    uid: number,
    id: string,
    memory: SlotMemory,
    producer: Producer,
    slotAt: (address: number) => SlotMemory,
  ) {
    const { words } = memory;
    this.id = id;
    this.address = address;
    this.uid = uid;
    this.mailbox = new RingWriter(memory, MAILBOX_LANE, uid, producer, slotAt);
    this.system = new RingWriter(memory, SYSTEM_LANE, uid, producer, slotAt);
    this.overflow = OVERFLOW_POLICIES[words[OVERFLOW]] ?? "block";
    this.blockTimeoutMs = words[BLOCK_TIMEOUT_MS];
    this.leavesWith = words[LEAVES_WITH];
  }

  get words(): Int32Array {
    return this.mailbox.words;
  }
}

/** The slots that one thread sends to. */
export class Peers {
  readonly #self: Self;
  readonly #segments: Segments;
  readonly #producer: Producer;
  readonly #fetchSegment: (address: number) => void;
  readonly #peers = new Map<number, Peer>();
  /** The peer of the last connect, while it is among the peers. */
  #last: Peer | undefined;

  /** `fetchSegment` gets a segment that another thread learnt of before this one. */
  constructor(self: Self, segments: Segments, producer: Producer, fetchSegment: (address: number) => void) {
    this.#self = self;
    this.#segments = segments;
    this.#producer = producer;
    this.#fetchSegment = fetchSegment;
  }

  get all(): IterableIterator<Peer> {
    return this.#peers.values();
  }

  connect(address: number, uid: number, id: string): Peer {
    const last = this.#last;
    if (last !== undefined && last.address === address && last.uid === uid) return last;
    const known = this.#peers.get(address);
    if (known !== undefined && known.uid === uid) {
      this.#last = known;
      return known;
    }
    const memory = this.#slotAt(address);
    const peer = new SlotPeer(address, uid, id, memory, this.#producer, this.#slotAt);
    // A reference to an actor that is gone must not displace the slot's present owner.
    if (uidOf(memory.words) === uid) this.#peers.set(address, peer);
    return peer;
  }

  /** The connection to a light actor. It is not kept here: a reference keeps its own. */
  connectMember(address: number, uid: number, id: string): Peer {
    const segment = segmentOfCell(address);
    if (this.#segments.table(segment) === undefined) this.#fetchSegment(address);
    const table = this.#segments.table(segment);
    if (table === undefined) throw new RangeError(`no table of cells at ${address}`);
    const partition = this.connect(table[TABLE_ADDRESS], table[TABLE_UID], id);
    return new MemberPeer(id, address, cellOf(address), generationOf(uid), table, partition);
  }

  /** The present life of the light actor at this address; undefined for what is none, or is meant by its id. */
  lifeAt(address: number): number | undefined {
    const cell = cellOf(address);
    if (!isCellAddress(address) || cell === 0) return undefined;
    const table = this.#segments.table(segmentOfCell(address));
    return table === undefined ? undefined : Atomics.load(table, cell * CELL_WORDS + CELL_INCARNATION);
  }

  /** Forgets a slot whose memory is about to be used for another. */
  disconnect(address: number): void {
    this.#peers.delete(address);
    this.#last = undefined;
  }

  memoryAt(address: number): SlotMemory {
    if (!this.#segments.has(address)) this.#fetchSegment(address);
    return this.#segments.at(address);
  }

  readonly #slotAt = (address: number): SlotMemory => {
    const memory = this.memoryAt(address);
    // Before this thread first takes a lock there: when it dies, main repairs the slots in this set.
    addEndpoint(this.#self.memory.words, PEERS, memory.words[ENDPOINT_INDEX]);
    return memory;
  };
}
