import { ActorError } from "../errors/errors.js";
import { methodOf, methodTextIn, textMethod } from "../memory/method-name.js";
import type { NameTable } from "../memory/name-table.js";
import {
  formatOf,
  KIND_CALL,
  KIND_CANCEL,
  KIND_CAST,
  KIND_FAILURE,
  type KIND_REPLY,
  KIND_SEND,
  kindOf,
  R_CORRELATION,
  R_LENGTH,
  R_METHOD,
  R_SENDER_ADDRESS,
  R_SENDER_UID,
  R_TYPE,
  RECORD_HEADER_WORDS,
} from "../memory/record-descriptor.js";
import type { Producer } from "../memory/ring-lock.js";
import type { Segments } from "../memory/segments.js";
import {
  addEndpoint,
  CALLERS,
  DROPPED,
  ENDPOINT_INDEX,
  FULL_TOLD,
  NEXT_CORRELATION,
} from "../memory/slot-descriptor.js";
import type { Notice, Parcel } from "../port/messages.js";
import { type Connection, DEFAULT_CALL_TIMEOUT_MS, type Sender } from "../refs/actor-ref.js";
import type { CastResult, Transferable } from "../refs/actor-types.js";
import type { RefOptions } from "../refs/ref-options.js";
import { noproc } from "../refs/refusal.js";
import { checkTransferList, notTransferable } from "../refs/transfer-list.js";
import {
  FORMAT_PARCEL,
  FORMAT_TRACED,
  MAX_MESSAGE_BYTES,
  newPayload,
  type Payload,
  withMethodText,
} from "../ring/payload.js";
import { CLOSED, FULL, PUSHED } from "../ring/ring-writer.js";
import { Codec, keepPayload } from "../values/codec.js";
import { encoded } from "../values/encoded.js";
import { countFailure } from "./call-outcome.js";
import { type Peer, Peers, type Self, type Unsent } from "./peers.js";
import { PendingCalls } from "./pending-calls.js";
import type { Telemetry } from "./telemetry.js";
import { whenAborted } from "./when-aborted.js";

const EMPTY: Payload = newPayload(0);
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
  /** Where an OpenTelemetry SDK is registered in this thread. */
  telemetry: Telemetry | undefined;
  readonly #producer: Producer;
  readonly #peers: Peers;
  readonly #placeholder: Payload = { ...newPayload(8), length: 8, format: FORMAT_PARCEL };
  /** Of the message encoded last. */
  #parcel: Parcel | undefined;
  #parcels = 0;

  constructor(self: Self, segments: Segments, names: NameTable, producer: Producer) {
    this.self = self;
    this.names = names;
    this.#producer = producer;
    this.#peers = new Peers(self, segments, producer, (address) => this.fetchSegment(address));
    this.codec = new Codec(this);
    this.pending = new PendingCalls((deadline) => this.armTimer(deadline));
  }

  /** Sees to it that `pending.expire` runs at `deadline`. */
  protected abstract armTimer(deadline: number): void;
  /** A call has been opened, and is about to be sent. */
  protected replyExpected(): void {}
  /** Waits for room in this thread's way, then pushes; `accepted` or `refused` is called, perhaps before it returns. */
  protected abstract waitForRoom(unsent: Unsent): void;
  /** Gets the segment of `address`, which another thread knew before this one. */
  protected abstract fetchSegment(address: number): void;
  /** Tells main what it has to know of, or see to. Throws when something in `transfer` cannot be transferred. */
  protected abstract tellMain(notice: Notice, transfer?: readonly Transferable[]): void;
  abstract callSync(to: Peer, method: string, args: unknown[], options: RefOptions): unknown;
  abstract castSync(to: Peer, method: string, args: unknown[], options: RefOptions): void;

  get uid(): number {
    return this.self.uid;
  }

  wordsAt(address: number): Int32Array {
    return this.#peers.memoryAt(address).words;
  }

  connect(address: number, uid: number, id: string): Peer {
    return this.#peers.connect(address, uid, id);
  }

  /** Drops what is cached of a slot whose memory is about to be given away. */
  disconnect(address: number): void {
    this.#peers.disconnect(address);
  }

  get peers(): IterableIterator<Peer> {
    return this.#peers.all;
  }

  tryCast(to: Peer, method: string, args: unknown[], options: RefOptions): CastResult {
    const id = this.#numberOf(method);
    const payload = this.#encode(to, id, method, args, options);
    if (to.unsent.length !== 0) return "full";
    const outcome = this.#push(to, KIND_CAST, id, 0, payload);
    return outcome === PUSHED ? "ok" : outcome === CLOSED ? "closed" : "full";
  }

  cast(to: Peer, method: string, args: unknown[], options: RefOptions): Promise<void> {
    try {
      const id = this.#numberOf(method);
      return this.#sendOneWay(to, KIND_CAST, id, this.#encode(to, id, method, args, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Casts in a thread whose `waitForRoom` is over when it returns. */
  protected castBlocking(to: Peer, method: string, args: unknown[], options: RefOptions): void {
    const id = this.#numberOf(method);
    const payload = this.#encode(to, id, method, args, options);
    if (this.#deliverNow(to, KIND_CAST, id, payload)) return;
    let failure: ActorError | undefined;
    this.#deliverLater(to, KIND_CAST, id, payload, ignoreAcceptance, (error) => {
      failure = error;
    });
    if (failure !== undefined) throw failure;
  }

  send(to: Peer, message: unknown, options: RefOptions): Promise<void> {
    try {
      return this.#sendOneWay(to, KIND_SEND, 0, this.#encode(to, 0, "info", [message], options));
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
  request(
    to: Peer,
    method: string,
    args: unknown[],
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): number {
    const span = this.telemetry?.call(to.id, method);
    if (span === undefined) return this.#request(to, method, args, options, settle, fail, undefined);
    const replied = (value: unknown): void => {
      span.end();
      settle(value);
    };
    const failed = (error: unknown): void => {
      span.end(error);
      fail(error);
    };
    return this.#request(to, method, args, options, replied, failed, span.traceparent);
  }

  #request(
    to: Peer,
    method: string,
    args: unknown[],
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
    traceparent: string | undefined,
  ): number {
    const { signal, timeoutMs = DEFAULT_CALL_TIMEOUT_MS } = options;
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
      methodId = this.#numberOf(method);
      payload = this.#encode(to, methodId, method, args, options, traceparent);
    } catch (error) {
      countFailure(to.words, to.uid, false, error);
      fail(error);
      return 0;
    }
    if (!to.knownAsCaller) this.#announceAsCaller(to);
    const correlation = this.#nextCorrelation();
    const call = this.pending.open(correlation, to, method, timeoutMs, settle, fail);
    this.replyExpected();
    if (signal !== undefined) {
      const onAbort = (): void => {
        this.pending.fail(correlation, aborted(to, method, signal));
        // If its system lane is full the callee goes on for nothing, as it does after a timeout.
        to.system.push(KIND_CANCEL, 0, correlation, this.self.address, this.self.uid, EMPTY);
      };
      call.release = whenAborted(signal, onAbort);
    }
    if (to.unsent.length === 0) {
      let outcome: number;
      try {
        outcome = this.#push(to, KIND_CALL, methodId, correlation, payload);
      } catch (error) {
        this.pending.fail(correlation, error as ActorError);
        return correlation;
      }
      if (outcome === PUSHED) {
        call.seq = to.mailbox.lastSeq;
        // Whatever the callee may be about to say comes later.
        if (timeoutMs === 0) this.pending.expire(performance.now());
        return correlation;
      }
      if (outcome === CLOSED) {
        this.pending.fail(correlation, noproc(to, method));
        return correlation;
      }
      if (outcome === FULL && to.overflow !== "block") {
        if (to.overflow === "drop_newest") this.#drop(to, method);
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
      parcel: this.#parcel,
      deadline: performance.now() + Math.min(to.blockTimeoutMs, timeoutMs),
      wanted: () => this.pending.has(correlation),
      accepted: (seq) => {
        call.seq = seq;
      },
      refused: (error) => this.pending.fail(correlation, error),
    });
    return correlation;
  }

  /** Answers a call. Never waits: a full system lane is passed by way of main, as is what transfers something. */
  reply(
    address: number,
    uid: number,
    kind: typeof KIND_REPLY | typeof KIND_FAILURE,
    correlation: number,
    payload: Payload,
    transferred: readonly Transferable[] = [],
  ): void {
    const peer = this.connect(address, uid, "");
    const fits = payload.length <= peer.system.maxPayloadBytes && payload.shared === undefined;
    if (transferred.length === 0 && fits) {
      const outcome = peer.system.push(kind, 0, correlation, this.self.address, this.self.uid, payload);
      if (outcome === PUSHED || outcome === CLOSED) return;
    }
    this.tellMain({ type: "detour", uid, kind, correlation, payload: encoded(payload), transferred }, transferred);
  }

  /** Pushes what waited. PUSHED, FULL, CLOSED or BUSY; for PUSHED and CLOSED `unsent` has been told. */
  protected retry(unsent: Unsent): number {
    const { peer } = unsent;
    let outcome: number;
    try {
      outcome = this.#push(peer, unsent.kind, unsent.method, unsent.correlation, unsent.payload, unsent.parcel);
    } catch (error) {
      // Its placeholder is in the mailbox, and what it is to transfer has gone meanwhile.
      unsent.refused(error as ActorError);
      return PUSHED;
    }
    if (outcome === PUSHED) unsent.accepted(peer.mailbox.lastSeq);
    else if (outcome === CLOSED) unsent.refused(noproc(peer, methodOf(this.names, unsent.method, unsent.payload)));
    return outcome;
  }

  #sendOneWay(to: Peer, kind: number, method: number, payload: Payload): Promise<void> {
    if (this.#deliverNow(to, kind, method, payload)) return ACCEPTED;
    return new Promise((accepted, refused) => this.#deliverLater(to, kind, method, payload, accepted, refused));
  }

  /** True when the message is in the mailbox or was dropped by policy, false when it has to wait. Throws when refused. */
  #deliverNow(to: Peer, kind: number, method: number, payload: Payload): boolean {
    if (to.unsent.length !== 0) return false;
    const outcome = this.#push(to, kind, method, 0, payload);
    if (outcome === PUSHED) return true;
    if (outcome === CLOSED) throw noproc(to, methodOf(this.names, method, payload));
    if (outcome !== FULL || to.overflow === "block") return false;
    if (to.overflow === "reject") throw mailboxFull(to, methodOf(this.names, method, payload));
    this.#drop(to, methodOf(this.names, method, payload));
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
      parcel: this.#parcel,
      deadline: performance.now() + peer.blockTimeoutMs,
      wanted: () => true,
      accepted,
      refused,
    });
  }

  #drop(to: Peer, method: string): void {
    Atomics.add(to.words, DROPPED, 1);
    this.tellMain({ type: "dropped", id: to.id, method });
  }

  #push(to: Peer, kind: number, method: number, correlation: number, payload: Payload, parcel = this.#parcel): number {
    const outcome = to.mailbox.push(kind, method, correlation, this.self.address, this.self.uid, payload);
    if (outcome === PUSHED && parcel !== undefined) this.#sendParcel(to, parcel);
    if (outcome === FULL) this.#tellFull(to, method, payload);
    if (to.mailbox.dropped.length > 0) {
      this.#tellFull(to, method, payload);
      this.#accountForDropped(to);
    }
    return outcome;
  }

  /** Hands a parcel over whose placeholder is in `to`'s mailbox. */
  #sendParcel(to: Peer, parcel: Parcel): void {
    const { owner, number, content, transferred } = parcel;
    try {
      // The platform does not say of each of them that it went elsewhere while the message waited for room.
      checkTransferList(transferred);
      this.tellMain({ type: "parcel", uid: to.uid, parcel }, [content.bytes.buffer as ArrayBuffer, ...transferred]);
    } catch (error) {
      // Something in the transfer list cannot be transferred (any more).
      this.tellMain({ type: "parcel_lost", owner, number });
      throw notTransferable(`id=${to.id}`, error);
    }
  }

  /** Once for all senders, until main has seen that there is room again. */
  #tellFull(to: Peer, method: number, payload: Payload): void {
    if (Atomics.exchange(to.mailbox.words, FULL_TOLD, 1) === 0)
      this.tellMain({ type: "mailbox_full", uid: to.uid, method: methodOf(this.names, method, payload) });
  }

  /** What a push took out of the mailbox to make room is counted, dead-lettered, and its callers are told. */
  #accountForDropped(to: Peer): void {
    for (const record of to.mailbox.dropped.splice(0)) {
      const type = record[R_TYPE];
      const method = this.#methodOfRecord(record);
      this.#drop(to, method);
      if (formatOf(type) === FORMAT_PARCEL) {
        const [owner, number] = record.subarray(RECORD_HEADER_WORDS);
        this.tellMain({ type: "parcel_lost", owner, number });
      }
      if (kindOf(type) !== KIND_CALL) continue;
      const error = this.codec.encodeValue(mailboxFull(to, method));
      this.reply(record[R_SENDER_ADDRESS], record[R_SENDER_UID], KIND_FAILURE, record[R_CORRELATION], error);
    }
  }

  #methodOfRecord(record: Int32Array): string {
    const method = record[R_METHOD];
    if (method >= 0) return this.names.name(method);
    return methodTextIn(method, new Uint8Array(record.buffer), record[R_LENGTH]);
  }

  /** What stands for a method in a record. Throws ERR_UNKNOWN_METHOD for what no actor can have. */
  #numberOf(method: string): number {
    const id = this.names.find(method);
    return id === 0 ? textMethod(method) : id;
  }

  /**
   * What goes into the ring, with the method's text where it has no number. A message that is too large for the ring, or
   * has objects to transfer, becomes `#parcel`.
   */
  #encode(
    to: Peer,
    methodId: number,
    method: string,
    args: unknown[],
    { transfer }: RefOptions,
    traceparent = this.telemetry?.traceparent,
  ): Payload {
    const transferred = transfer === undefined || transfer.length === 0 ? undefined : transfer;
    const payload = this.codec.encodeArgs(traceparent === undefined ? args : [...args, traceparent], transferred);
    if (traceparent !== undefined) payload.format |= FORMAT_TRACED;
    this.#parcel = undefined;
    const textBytes = methodId < 0 ? -methodId : 0;
    const fits = payload.length + textBytes <= to.mailbox.maxPayloadBytes && payload.shared === undefined;
    if (transferred === undefined && fits) return textBytes === 0 ? payload : withMethodText(payload, method);
    if (payload.length > MAX_MESSAGE_BYTES) {
      throw new ActorError(
        "ERR_MESSAGE_TOO_LARGE",
        `id=${to.id} method=${method}: message of ${payload.length} bytes, at most ${MAX_MESSAGE_BYTES}; transfer what is larger`,
        { id: to.id, method, bytes: payload.length, limit: MAX_MESSAGE_BYTES },
      );
    }
    const { ownerId: owner } = this.#producer;
    // As a word of shared memory holds it.
    this.#parcels = (this.#parcels + 1) | 0;
    const number = this.#parcels;
    this.#parcel = { owner, number, content: encoded(payload), transferred: transferred ?? [] };
    const placeholder = this.#placeholder;
    placeholder.words[0] = owner;
    placeholder.words[1] = number;
    return textBytes === 0 ? placeholder : withMethodText(placeholder, method);
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
