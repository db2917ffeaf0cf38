import type { MessagePort } from "node:worker_threads";
import type { ActorError } from "../errors/errors.js";
import { rejectionOf } from "../errors/remote-error.js";
import { isCellAddress } from "../memory/cells.js";
import { ConsumerState } from "../memory/consumer-state.js";
import { methodOf, textMethod } from "../memory/method-name.js";
import type { NameTable } from "../memory/name-table.js";
import { KIND_CAST, KIND_FAILURE, KIND_SEND } from "../memory/record-descriptor.js";
import type { Producer } from "../memory/ring-lock.js";
import type { Segments } from "../memory/segments.js";
import type { Detour, Notice, Parcel, ToActor } from "../port/messages.js";
import type { Sender } from "../refs/actor-ref.js";
import type { CastResult, Transferable } from "../refs/actor-types.js";
import type { RefOptions } from "../refs/ref-options.js";
import { refused } from "../refs/refusal.js";
import { PARCEL_TARGET, type Payload, withMethodText } from "../ring/payload.js";
import { CLOSED, FULL, PUSHED } from "../ring/ring-writer.js";
import { Codec, keepPayload } from "../values/codec.js";
import { encoded } from "../values/encoded.js";
import { mailboxFull, Overflow } from "./overflow.js";
import { type DirectWay, type EncodedMessage, ParcelWriter } from "./parcel-writer.js";
import { type Peer, Peers, type Self, type Unsent } from "./peers.js";
import type { Telemetry } from "./telemetry.js";

const ACCEPTED: Promise<void> = Promise.resolve();
const ignoreAcceptance = (): void => {};

/**
 * Sends what no reply comes to: casts, messages, and replies themselves. Encodes a message and pushes it into the
 * receiver's ring. Main and an actor's thread differ in what they do while a mailbox is full.
 */
export abstract class OneWayOutbox implements Sender {
  readonly self: Self;
  readonly names: NameTable;
  readonly codec: Codec;
  /** Set where an OpenTelemetry SDK is registered in this thread. */
  telemetry: Telemetry | undefined;
  protected readonly overflow: Overflow;
  readonly #peers: Peers;
  readonly #parcels: ParcelWriter;
  readonly #toWake = new Set<Peer>();

  constructor(self: Self, segments: Segments, names: NameTable, producer: Producer) {
    this.self = self;
    this.names = names;
    this.#peers = new Peers(self, segments, producer, (address) => this.fetchSegment(address));
    this.codec = new Codec(this);
    const tellMain = (notice: Notice, transfer?: readonly Transferable[]): void => this.tellMain(notice, transfer);
    this.#parcels = new ParcelWriter(this.codec, producer.ownerId, tellMain);
    this.overflow = new Overflow(names, tellMain, (address, uid, correlation, error) =>
      this.reply(address, uid, KIND_FAILURE, correlation, this.codec.encodeValue(error)),
    );
  }

  /** Waits for room as this thread may, then pushes. Calls `accepted` or `refused` once, perhaps before it returns. */
  protected abstract waitForRoom(unsent: Unsent): void;
  /** Gets the segment of `address`, which another thread knew before this one. */
  protected abstract fetchSegment(address: number): void;
  /** Tells main what it has to know of, or see to. Throws when something in `transfer` cannot be transferred. */
  protected abstract tellMain(notice: Notice, transfer?: readonly Transferable[]): void;
  abstract call(to: Peer, method: string, args: unknown[], options: RefOptions): Promise<unknown>;
  abstract callSync(to: Peer, method: string, args: unknown[], options: RefOptions): unknown;
  abstract castSync(to: Peer, method: string, args: unknown[], options: RefOptions): void;

  get whyGone(): string | undefined {
    return undefined;
  }

  get uid(): number {
    return this.self.uid;
  }

  lifeAt(address: number): number | undefined {
    return this.#peers.lifeAt(address);
  }

  wordsAt(address: number): Int32Array {
    return this.#peers.memoryAt(address).words;
  }

  connect(address: number, uid: number, id: string): Peer {
    return isCellAddress(address) ? this.#peers.connectMember(address, uid, id) : this.#peers.connect(address, uid, id);
  }

  /** Forgets a slot whose memory is about to be used for another. */
  disconnect(address: number): void {
    this.#peers.disconnect(address);
  }

  get peers(): IterableIterator<Peer> {
    return this.#peers.all;
  }

  tryCast(to: Peer, method: string, args: unknown[], options: RefOptions): CastResult {
    const id = this.numberOf(method);
    const { payload, parcel } = this.encode(to, id, method, args, options);
    if (to.unsent.length !== 0) return "full";
    const outcome = this.push(to, KIND_CAST, id, 0, payload, parcel);
    return outcome === PUSHED ? "ok" : outcome === CLOSED ? "closed" : "full";
  }

  cast(to: Peer, method: string, args: unknown[], options: RefOptions): Promise<void> {
    try {
      const id = this.numberOf(method);
      return this.#sendOneWay(to, KIND_CAST, id, this.encode(to, id, method, args, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Casts in a thread whose `waitForRoom` is over when it returns. */
  protected castBlocking(to: Peer, method: string, args: unknown[], options: RefOptions): void {
    const id = this.numberOf(method);
    const message = this.encode(to, id, method, args, options);
    if (this.#deliverNow(to, KIND_CAST, id, message)) return;
    let failure: ActorError | undefined;
    this.#deliverLater(to, KIND_CAST, id, message, ignoreAcceptance, (error) => {
      failure = error;
    });
    if (failure !== undefined) throw failure;
  }

  send(to: Peer, message: unknown, options: RefOptions): Promise<void> {
    try {
      return this.#sendOneWay(to, KIND_SEND, 0, this.encode(to, 0, "info", [message], options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Pushes a cast that is encoded already and fits into the ring, without waiting. Returns what a ring's `push` does. */
  forward(to: Peer, method: string, payload: Payload): number {
    if (to.unsent.length !== 0) return FULL;
    const id = this.numberOf(method);
    return this.pushSoon(to, KIND_CAST, id, 0, id < 0 ? withMethodText(payload, method) : payload);
  }

  /**
   * Answers a call, or sends a record of a stream, which is its record `number`. Never waits: main passes on what
   * transfers something, and what a full system lane refuses.
   */
  reply(
    address: number,
    uid: number,
    kind: number,
    correlation: number,
    payload: Payload,
    transferred: readonly Transferable[] = [],
    number = 0,
  ): void {
    this.answer(this.connect(address, uid, ""), kind, number, correlation, payload, transferred);
  }

  /** Sends a record to the system lane of `peer`, as `reply` does. `number` takes the place of the method. */
  answer(
    peer: Peer,
    kind: number,
    number: number,
    correlation: number,
    payload: Payload,
    transferred: readonly Transferable[] = [],
  ): void {
    const { self } = this;
    const fits = payload.length <= peer.system.maxPayloadBytes && payload.shared === undefined;
    if (transferred.length === 0 && fits) {
      const outcome = peer.system.push(kind, number, correlation, self.address, self.uid, payload);
      if (outcome === PUSHED || outcome === CLOSED) return;
    }
    const detour: Detour = {
      type: "detour",
      uid: peer.uid,
      kind,
      number,
      senderUid: self.uid,
      correlation,
      payload: encoded(payload),
      transferred,
    };
    if (transferred.length === 0 || !this.replyDirectly(peer, detour)) this.tellMain(detour, transferred);
  }

  /** Sends a reply that transfers objects past main, if this thread can. Throws when one cannot be transferred. */
  protected replyDirectly(_to: Peer, _reply: Detour): boolean {
    return false;
  }

  /** Pushes a message that waited. Returns PUSHED, FULL, CLOSED or BUSY; of PUSHED and CLOSED it has told `unsent`. */
  protected retry(unsent: Unsent): number {
    const { peer, payload, parcel } = unsent;
    let outcome: number;
    try {
      outcome = this.push(peer, unsent.kind, unsent.method, unsent.correlation, payload, parcel);
    } catch (error) {
      // The placeholder is in the mailbox, but an object of the parcel has been transferred elsewhere meanwhile.
      unsent.refused(error as ActorError);
      return PUSHED;
    }
    if (outcome === PUSHED) unsent.accepted(peer.mailbox.lastSeq);
    else if (outcome === CLOSED)
      unsent.refused(refused(peer, methodOf(this.names, unsent.method, payload), this.whyGone));
    return outcome;
  }

  /** What stands for a method in a record. Throws ERR_UNKNOWN_METHOD for a name that no method can have. */
  protected numberOf(method: string): number {
    const id = this.names.find(method);
    return id === 0 ? textMethod(method) : id;
  }

  /** Throws ERR_NOT_CLONEABLE, ERR_MESSAGE_TOO_LARGE. */
  protected encode(
    to: Peer,
    methodId: number,
    method: string,
    args: unknown[],
    { transfer }: RefOptions,
    carrier = this.telemetry?.carrier,
  ): EncodedMessage {
    return this.#parcels.encode(to, methodId, method, args, transfer, carrier);
  }

  /** Pushes a message, and hands over its parcel. Throws ERR_NOT_CLONEABLE for a parcel that can no longer be sent. */
  protected push(
    to: Peer,
    kind: number,
    method: number,
    correlation: number,
    payload: Payload,
    parcel: Parcel | undefined,
  ): number {
    const { member, mailbox } = to;
    const { address, uid } = this.self;
    if (member !== undefined) {
      const outcome = member.push(kind, method, correlation, address, uid, payload);
      if (outcome === PUSHED && parcel !== undefined) this.#parcels.send(to, parcel, undefined);
      return outcome;
    }
    const way = parcel === undefined ? undefined : this.#directWay(to, parcel, payload);
    // Its parcel wakes the receiver, so that it does not wake before there is something to do.
    const outcome =
      way === undefined
        ? mailbox.push(kind, method, correlation, address, uid, payload)
        : mailbox.pushQuietly(kind, method, correlation, address, uid, payload);
    if (outcome !== PUSHED) way?.giveUp();
    else if (parcel !== undefined) this.#parcels.send(to, parcel, way);
    if (outcome === FULL) this.overflow.full(to, method, payload);
    if (mailbox.dropped.length > 0) {
      this.overflow.full(to, method, payload);
      this.overflow.dropOldest(to);
    }
    return outcome;
  }

  /** As `push`, of an encoded message. Its receiver is woken in a microtask: once, whatever else comes for it by then. */
  protected pushSoon(to: Peer, kind: number, method: number, correlation: number, payload: Payload): number {
    const { mailbox, member } = to;
    if (member !== undefined) return this.push(to, kind, method, correlation, payload, undefined);
    const outcome = mailbox.pushQuietly(kind, method, correlation, this.self.address, this.self.uid, payload);
    if (outcome === FULL) this.overflow.full(to, method, payload);
    else if (outcome === PUSHED) {
      if (this.#toWake.size === 0) queueMicrotask(this.#wake);
      this.#toWake.add(to);
    }
    if (mailbox.dropped.length > 0) {
      this.overflow.full(to, method, payload);
      this.overflow.dropOldest(to);
    }
    return outcome;
  }

  readonly #wake = (): void => {
    for (const { mailbox } of this.#toWake) mailbox.wake();
    this.#toWake.clear();
  };

  /** This thread's channel to the actor's thread with this owner id. */
  protected channelTo(_ownerId: number): MessagePort | undefined {
    return undefined;
  }

  /**
   * The way past main for a parcel, if the receiver's thread waits for one; then this also says so in the `placeholder`.
   */
  #directWay(to: Peer, parcel: Parcel, placeholder: Payload): DirectWay | undefined {
    placeholder.words[PARCEL_TARGET] = 0;
    // Only main can deliver a parcel twice, and senders drop from a `drop_oldest` mailbox what the thread waits for.
    if (parcel.transferred.length === 0 || to.overflow === "drop_oldest") return undefined;
    const receiver = new ConsumerState(to.words);
    const target = receiver.consumerOf(to.uid);
    const port = this.channelTo(target);
    if (port === undefined || !receiver.takeOffer(target)) return undefined;
    placeholder.words[PARCEL_TARGET] = target;
    return {
      post: (message, transfer) => {
        port.postMessage({ type: "direct_parcel", ...message } satisfies ToActor, transfer);
        receiver.controlPosted();
      },
      giveUp: () => receiver.returnOffer(target),
    };
  }

  #sendOneWay(to: Peer, kind: number, method: number, message: EncodedMessage): Promise<void> {
    if (this.#deliverNow(to, kind, method, message)) return ACCEPTED;
    return new Promise((accepted) =>
      this.#deliverLater(to, kind, method, message, accepted, (error) => accepted(rejectionOf(error, to.id))),
    );
  }

  /**
   * True when the message is in the mailbox or was dropped by policy, false when it has to wait. Throws when refused.
   */
  #deliverNow(to: Peer, kind: number, method: number, { payload, parcel }: EncodedMessage): boolean {
    if (to.unsent.length !== 0) return false;
    const outcome = this.push(to, kind, method, 0, payload, parcel);
    if (outcome === PUSHED) return true;
    if (outcome === CLOSED) throw refused(to, methodOf(this.names, method, payload), this.whyGone);
    if (outcome !== FULL || to.overflow === "block") return false;
    if (to.overflow === "reject") throw mailboxFull(to, methodOf(this.names, method, payload));
    this.overflow.drop(to, methodOf(this.names, method, payload));
    return true;
  }

  #deliverLater(
    peer: Peer,
    kind: number,
    method: number,
    { payload, parcel }: EncodedMessage,
    accepted: () => void,
    refused: (error: ActorError) => void,
  ): void {
    this.waitForRoom({
      peer,
      kind,
      method,
      correlation: 0,
      payload: keepPayload(payload),
      parcel,
      deadline: performance.now() + peer.blockTimeoutMs,
      wanted: () => true,
      accepted,
      refused,
    });
  }
}
