import type { Connection, RefOptions, Sender } from "./actor-ref.js";
import type { CastResult } from "./actor-types.js";
import { Codec, keepPayload } from "./codec.js";
import { ActorError } from "./errors.js";
import type { NameTable } from "./name-table.js";
import type { Payload } from "./payload.js";
import { PendingCalls } from "./pending-calls.js";
import { Queue } from "./queue.js";
import { KIND_CALL, KIND_CAST, type KIND_FAILURE, type KIND_REPLY, KIND_SEND } from "./record-descriptor.js";
import { CLOSED, FULL, type Producer, PUSHED, RingWriter } from "./ring-writer.js";
import type { Segments, SlotMemory } from "./segments.js";
import {
  addEndpoint,
  BLOCK_TIMEOUT_MS,
  CALLERS,
  DROPPED,
  ENDPOINT_INDEX,
  MAILBOX_LANE,
  NEXT_CORRELATION,
  OVERFLOW,
  OVERFLOW_POLICIES,
  type OverflowPolicy,
  PEERS,
  SYSTEM_LANE,
  uidOf,
} from "./slot-descriptor.js";

/** The slot this thread receives replies in. */
export interface Self {
  readonly address: number;
  readonly uid: number;
  readonly memory: SlotMemory;
}

/** One thread's connection to one slot. */
export interface Peer extends Connection {
  readonly address: number;
  readonly uid: number;
  readonly words: Int32Array;
  readonly mailbox: RingWriter;
  readonly system: RingWriter;
  readonly overflow: OverflowPolicy;
  readonly blockTimeoutMs: number;
  /** Messages of this thread that wait for room: later ones queue behind them. Main only. */
  readonly unsent: Queue<Unsent>;
  /** This thread's bit in the slot's set of callers is set. */
  knownAsCaller: boolean;
}

/** A message that found its mailbox full. */
export interface Unsent {
  readonly peer: Peer;
  readonly kind: number;
  readonly method: number;
  readonly correlation: number;
  readonly payload: Payload;
  /** In `performance.now` time: when to give up with ERR_MAILBOX_FULL. */
  readonly deadline: number;
  /** False once nobody cares any more (its call has timed out or was aborted). */
  wanted(): boolean;
  accepted(seq: number): void;
  refused(error: ActorError): void;
}

const DEFAULT_TIMEOUT_MS = 5000;
const ACCEPTED: Promise<void> = Promise.resolve();
const ignoreAcceptance = (): void => {};

/**
 * The sending side of one thread: encodes, pushes into the receiver's ring, keeps the calls that wait for
 * their replies. What to do while a mailbox is full differs between main and an actor's thread.
 */
export abstract class Outbox implements Sender {
  readonly self: Self;
  readonly names: NameTable;
  readonly codec: Codec;
  readonly pending: PendingCalls;
  protected readonly segments: Segments;
  readonly #producer: Producer;
  readonly #peers = new Map<number, Peer>();

  constructor(self: Self, segments: Segments, names: NameTable, producer: Producer) {
    this.self = self;
    this.segments = segments;
    this.names = names;
    this.#producer = producer;
    this.codec = new Codec(this);
    this.pending = new PendingCalls((deadline) => this.armTimer(deadline));
  }

  /** Sees to it that `pending.expire` runs at `deadline`. */
  protected abstract armTimer(deadline: number): void;
  /** Waits for room in this thread's way, then pushes; `accepted` or `refused` is called, perhaps before it returns. */
  protected abstract waitForRoom(unsent: Unsent): void;
  /** Gets the segment of `address`, which another thread knew before this one. */
  protected abstract fetchSegment(address: number): void;
  /** A message was dropped by its mailbox's policy. */
  protected abstract dropped(peer: Peer, method: number): void;
  /** Delivers a reply whose receiver's system lane is full, by way of main. */
  protected abstract detour(address: number, uid: number, kind: number, correlation: number, payload: Payload): void;
  abstract callSync(to: Peer, method: string, args: unknown[], options: RefOptions): unknown;
  abstract castSync(to: Peer, method: string, args: unknown[]): void;

  connect(address: number, uid: number, id: string): Peer {
    const known = this.#peers.get(address);
    if (known !== undefined && known.uid === uid) return known;
    if (!this.segments.has(address)) this.fetchSegment(address);
    const memory = this.segments.at(address);
    const { words } = memory;
    // Before its lock is ever taken: when this thread dies, main repairs the slots it knew.
    addEndpoint(this.self.memory.words, PEERS, words[ENDPOINT_INDEX]);
    const peer: Peer = {
      id,
      address,
      uid,
      words,
      mailbox: new RingWriter(memory, MAILBOX_LANE, uid, this.#producer),
      system: new RingWriter(memory, SYSTEM_LANE, uid, this.#producer),
      overflow: OVERFLOW_POLICIES[words[OVERFLOW]] ?? "block",
      blockTimeoutMs: words[BLOCK_TIMEOUT_MS],
      unsent: new Queue(),
      knownAsCaller: false,
    };
    // A reference to an actor that is gone must not displace the slot's new owner.
    if (uidOf(words) === uid) this.#peers.set(address, peer);
    return peer;
  }

  /** Drops what is cached of a slot whose memory is about to be given away. */
  disconnect(address: number): void {
    this.#peers.delete(address);
  }

  get peers(): IterableIterator<Peer> {
    return this.#peers.values();
  }

  tryCast(to: Peer, method: string, args: unknown[]): CastResult {
    const id = this.names.intern(method);
    const payload = this.#fitting(to, method, this.codec.encodeArgs(args));
    if (to.unsent.length !== 0) return "full";
    const outcome = to.mailbox.push(KIND_CAST, id, 0, this.self.address, this.self.uid, payload);
    return outcome === PUSHED ? "ok" : outcome === CLOSED ? "closed" : "full";
  }

  cast(to: Peer, method: string, args: unknown[]): Promise<void> {
    try {
      const id = this.names.intern(method);
      return this.#sendOneWay(to, KIND_CAST, id, this.#fitting(to, method, this.codec.encodeArgs(args)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Casts in a thread whose `waitForRoom` is over when it returns. */
  protected castBlocking(to: Peer, method: string, args: unknown[]): void {
    const id = this.names.intern(method);
    const payload = this.#fitting(to, method, this.codec.encodeArgs(args));
    if (this.#deliverNow(to, KIND_CAST, id, payload)) return;
    let failure: ActorError | undefined;
    this.#deliverLater(to, KIND_CAST, id, payload, ignoreAcceptance, (error) => {
      failure = error;
    });
    if (failure !== undefined) throw failure;
  }

  send(to: Peer, message: unknown): Promise<void> {
    try {
      return this.#sendOneWay(to, KIND_SEND, 0, this.#fitting(to, "info", this.codec.encodeArgs([message])));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  call(to: Peer, method: string, args: unknown[], options: RefOptions): Promise<unknown> {
    return new Promise((settle, fail) => {
      this.request(to, method, args, options, settle, fail);
    });
  }

  /** Sends a call; `settle` or `fail` is called exactly once. Returns its correlation, 0 when it failed at once. */
  protected request(
    to: Peer,
    method: string,
    args: unknown[],
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): number {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    let methodId: number;
    let payload: Payload;
    try {
      if (to.uid === this.self.uid) {
        throw new ActorError(
          "ERR_CALLING_SELF",
          `id=${to.id} method=${method}: an actor that calls itself would wait for ever`,
          { id: to.id, method },
        );
      }
      if (signal?.aborted === true) throw aborted(to, method, signal);
      methodId = this.names.intern(method);
      payload = this.#fitting(to, method, this.codec.encodeArgs(args));
    } catch (error) {
      fail(error);
      return 0;
    }
    if (!to.knownAsCaller) this.#announceAsCaller(to);
    const correlation = this.#nextCorrelation();
    const call = this.pending.open(correlation, to.uid, to.id, method, timeoutMs, settle, fail);
    if (signal !== undefined) {
      const onAbort = (): void => this.pending.fail(correlation, aborted(to, method, signal));
      signal.addEventListener("abort", onAbort, { once: true });
      call.release = () => signal.removeEventListener("abort", onAbort);
    }
    if (to.unsent.length === 0) {
      const outcome = to.mailbox.push(KIND_CALL, methodId, correlation, this.self.address, this.self.uid, payload);
      if (outcome === PUSHED) {
        call.seq = to.mailbox.lastSeq;
        return correlation;
      }
      if (outcome === CLOSED) {
        this.pending.fail(correlation, noproc(to, method));
        return correlation;
      }
      if (outcome === FULL && to.overflow !== "block") {
        if (to.overflow === "drop_newest") this.#drop(to, methodId);
        this.pending.fail(correlation, mailboxFull(to, method));
        return correlation;
      }
    }
    this.waitForRoom({
      peer: to,
      kind: KIND_CALL,
      method: methodId,
      correlation,
      payload: keepPayload(payload),
      deadline: performance.now() + Math.min(to.blockTimeoutMs, timeoutMs),
      wanted: () => this.pending.has(correlation),
      accepted: (seq) => {
        call.seq = seq;
      },
      refused: (error) => this.pending.fail(correlation, error),
    });
    return correlation;
  }

  /** Answers a call. Never waits: a full system lane is passed by way of main. */
  reply(
    address: number,
    uid: number,
    kind: typeof KIND_REPLY | typeof KIND_FAILURE,
    correlation: number,
    payload: Payload,
  ): void {
    const peer = this.connect(address, uid, "");
    if (payload.length <= peer.system.maxPayloadBytes) {
      const outcome = peer.system.push(kind, 0, correlation, this.self.address, this.self.uid, payload);
      if (outcome === PUSHED || outcome === CLOSED) return;
    }
    this.detour(address, uid, kind, correlation, payload);
  }

  /** Pushes what waited. PUSHED, FULL, CLOSED or BUSY; for PUSHED and CLOSED `unsent` has been told. */
  protected retry(unsent: Unsent): number {
    const { peer } = unsent;
    const outcome = peer.mailbox.push(
      unsent.kind,
      unsent.method,
      unsent.correlation,
      this.self.address,
      this.self.uid,
      unsent.payload,
    );
    if (outcome === PUSHED) unsent.accepted(peer.mailbox.lastSeq);
    else if (outcome === CLOSED) unsent.refused(noproc(peer, this.names.name(unsent.method)));
    return outcome;
  }

  #sendOneWay(to: Peer, kind: number, method: number, payload: Payload): Promise<void> {
    if (this.#deliverNow(to, kind, method, payload)) return ACCEPTED;
    return new Promise((accepted, refused) => this.#deliverLater(to, kind, method, payload, accepted, refused));
  }

  /** True when the message is in the mailbox or was dropped by policy, false when it has to wait. Throws when refused. */
  #deliverNow(to: Peer, kind: number, method: number, payload: Payload): boolean {
    if (to.unsent.length !== 0) return false;
    const outcome = to.mailbox.push(kind, method, 0, this.self.address, this.self.uid, payload);
    if (outcome === PUSHED) return true;
    if (outcome === CLOSED) throw noproc(to, this.names.name(method));
    if (outcome !== FULL || to.overflow === "block") return false;
    if (to.overflow === "reject") throw mailboxFull(to, this.names.name(method));
    this.#drop(to, method);
    return true;
  }

  #deliverLater(
    peer: Peer,
    kind: number,
    method: number,
    payload: Payload,
    accepted: () => void,
    refused: (error: ActorError) => void,
  ): void {
    this.waitForRoom({
      peer,
      kind,
      method,
      correlation: 0,
      payload: keepPayload(payload),
      deadline: performance.now() + peer.blockTimeoutMs,
      wanted: () => true,
      accepted,
      refused,
    });
  }

  #drop(to: Peer, method: number): void {
    Atomics.add(to.words, DROPPED, 1);
    this.dropped(to, method);
  }

  #fitting(to: Peer, method: string, payload: Payload): Payload {
    const limit = to.mailbox.maxPayloadBytes;
    if (payload.length <= limit) return payload;
    throw new ActorError(
      "ERR_MESSAGE_TOO_LARGE",
      `id=${to.id} method=${method}: message of ${payload.length} bytes, at most ${limit} fit (a quarter of mailbox.capacityBytes)`,
      { id: to.id, method, bytes: payload.length, limit },
    );
  }

  #nextCorrelation(): number {
    const words = this.self.memory.words;
    const correlation = words[NEXT_CORRELATION];
    words[NEXT_CORRELATION] = correlation === 0x7fffffff ? 1 : correlation + 1;
    return correlation;
  }

  /** So that main knows whom to tell when that actor exits. Before the first call is sent. */
  #announceAsCaller(to: Peer): void {
    addEndpoint(to.words, CALLERS, this.self.memory.words[ENDPOINT_INDEX]);
    to.knownAsCaller = true;
  }
}

export function noproc(to: Connection, method: string): ActorError {
  return new ActorError("ERR_NOPROC", `id=${to.id} method=${method}: no such actor (stopped or never restarted)`, {
    id: to.id,
    method,
  });
}

export function mailboxFull(to: Connection, method: string): ActorError {
  return new ActorError("ERR_MAILBOX_FULL", `id=${to.id} method=${method}: the mailbox is full`, { id: to.id, method });
}

function aborted(to: Connection, method: string, signal: AbortSignal): ActorError {
  return new ActorError("ERR_CALL_ABORTED", `id=${to.id} method=${method}: the call was aborted`, {
    id: to.id,
    method,
    cause: signal.reason,
  });
}
