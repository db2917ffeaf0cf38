import { randomUUID } from "node:crypto";
import type { IConnectPacket, IPublishPacket, ISubscribePacket, IUnsubscribePacket, Packet } from "mqtt-packet";
import { Decoder, MAX_PACKET_BYTES, MalformedPacket } from "./decoder.js";
import { acknowledgement, encode, publication, type Version } from "./encode.js";
import type { Counts, Hub, Wire } from "./hub.js";
import { MAX_SESSION_MS, messageOf, sessionMs, willOf } from "./incoming.js";
import { type Delivery, deliveryOf, hasExpired, type Message, type Subscription } from "./message.js";
import { CODE, CONNACK_3, type Code } from "./reason-codes.js";
import { MAX_IN_FLIGHT, Session, type SessionState } from "./session.js";
import { isFilter, isShared, isTopic } from "./topics.js";

/** A client that does not take its bytes: with more than this under way its QoS 0 messages are dropped. */
const MAX_BUFFERED = 1024 * 1024;
/** With more than this under way, messages with QoS 1 wait in the session. */
export const BUFFERED_ENOUGH = 256 * 1024;
const CONNECT_WITHIN_MS = 10_000;

/**
 * One client's connection, from its first byte to its last: MQTT 3.1.1 and 5 with QoS 0 and 1. It owns no thread, socket
 * or timer: bytes and answers come in by its methods, and what it wants goes out by `Wire` and `Hub`. The file is long
 * because each packet's rules depend on the one state that is here.
 */
export class Connection {
  readonly id: number;
  readonly #wire: Wire;
  readonly #hub: Hub;
  readonly #counts: Counts;
  readonly #decoder = new Decoder();
  /** Decoded and not handled yet. Not more than one chunk of the wire holds, because the wire is paused meanwhile. */
  #packets: Packet[] = [];
  /** What it waits for before it handles the next packet. */
  #waitingFor: "nothing" | "grant" | "room" | "confirmation" = "nothing";
  /** The answer that `confirmed` sends. */
  #onConfirmed: (() => void) | undefined;
  #state: "new" | "open" | "closed" = "new";
  #version: Version = 4;
  #clientId = "";
  #assigned = false;
  #connect: IConnectPacket | undefined;
  #session = new Session();
  #keepMs = 0;
  #publishesWill = true;
  #handedOver = false;
  #maxInFlight = MAX_IN_FLIGHT;
  #maxPacketBytes = Number.POSITIVE_INFINITY;
  #silentAfterMs = CONNECT_WITHIN_MS;
  #heardAt: number;
  #draining = false;

  constructor(id: number, wire: Wire, hub: Hub, counts: Counts, now: number) {
    this.id = id;
    this.#wire = wire;
    this.#hub = hub;
    this.#counts = counts;
    this.#heardAt = now;
  }

  get clientId(): string {
    return this.#clientId;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  get session(): Session {
    return this.#session;
  }

  receive(bytes: Uint8Array, now: number): void {
    if (this.#state === "closed" || this.#draining) return;
    this.#heardAt = now;
    let packets: Packet[];
    try {
      packets = this.#decoder.decode(bytes);
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      this.#counts.malformed++;
      this.#refuse(CODE.malformedPacket);
      return;
    }
    if (this.#packets.length === 0) this.#packets = packets;
    else for (const packet of packets) this.#packets.push(packet);
    this.#handlePackets(now);
  }

  /** The name is this connection's. `state` is the session that was kept under it. */
  granted(state: SessionState | undefined, now: number): void {
    if (this.#waitingFor !== "grant" || this.#state === "closed") return;
    const connect = this.#connect as IConnectPacket;
    const early = this.#session;
    if (state !== undefined) this.#session = Session.from(state);
    this.#state = "open";
    this.#connect = undefined;
    this.#write({
      cmd: "connack",
      returnCode: CONNACK_3.accepted,
      reasonCode: CODE.success,
      sessionPresent: state !== undefined,
      ...(this.#version === 5 ? { properties: this.#abilities(connect) } : {}),
    });
    for (const [packetId, delivery] of this.#session.unacknowledged())
      this.#writePublish(delivery, packetId, true, now);
    for (let delivery = early.next(now); delivery !== undefined; delivery = early.next(now)) {
      this.#session.enqueue(delivery);
    }
    this.#sendWaiting(now);
    this.resume(now);
  }

  /** There is room for what it publishes, or what it waited for has come. */
  resume(now: number): void {
    this.#waitingFor = "nothing";
    if (this.#state === "closed") return;
    this.#handlePackets(now);
  }

  confirmed(now: number): void {
    if (this.#waitingFor !== "confirmation") return;
    this.#onConfirmed?.();
    this.#onConfirmed = undefined;
    this.resume(now);
  }

  deliver(message: Message, flags: number, now: number): void {
    if (this.#state === "closed") return;
    const isFirst = (flags & 1) === 0;
    if (this.#state === "new") {
      // Its session is on the way here: what is not to be lost waits for it.
      if (!isFirst) this.#session.enqueue(deliveryOf(message, flags));
      return;
    }
    if (hasExpired(message, now)) return;
    if (isFirst) {
      if (this.#wire.buffered > MAX_BUFFERED) this.#counts.dropped++;
      else this.#writePublish(deliveryOf(message, flags), 0, false, now);
      return;
    }
    const delivery = deliveryOf(message, flags);
    if (this.#session.waiting === 0 && this.#hasRoom()) this.#sendFirst(delivery, now);
    else {
      const before = this.#session.dropped;
      this.#session.enqueue(delivery);
      this.#counts.dropped += this.#session.dropped - before;
    }
  }

  /** The wire has taken what was written. */
  drained(now: number): void {
    if (this.#state === "open") this.#sendWaiting(now);
  }

  isSilent(now: number): boolean {
    return this.#state !== "closed" && this.#waitingFor === "nothing" && now - this.#heardAt > this.#silentAfterMs;
  }

  /** Looks at the clock: a client that has said nothing for too long is gone. */
  tick(now: number): void {
    if (this.isSilent(now)) this.#refuse(CODE.keepAliveTimeout);
  }

  /** Another connection has this client's name now. Returns the session to hand over. */
  takenOver(): SessionState {
    const state = this.#session.toState();
    this.#handedOver = true;
    this.#refuse(CODE.sessionTakenOver);
    return state;
  }

  /** The broker is about to end: it reads no more. */
  drain(): void {
    this.#draining = true;
    this.#packets = [];
    this.#wire.pause();
  }

  /** The broker ends: all that this client is to get has been written. */
  goodbye(): void {
    this.#publishesWill = false;
    this.#refuse(CODE.serverShuttingDown);
  }

  /** The wire has closed, from this side or from the other. */
  closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#packets = [];
    if (this.#clientId === "") return;
    this.#hub.left(this, { will: this.#publishesWill, keepMs: this.#keepMs, handedOver: this.#handedOver });
  }

  #handlePackets(now: number): void {
    let next = 0;
    while (next < this.#packets.length && this.#waitingFor === "nothing" && !this.isClosed) {
      if (this.#handle(this.#packets[next], now)) next++;
    }
    if (this.isClosed) return;
    this.#packets = next === this.#packets.length ? [] : this.#packets.slice(next);
    if (this.#draining) return;
    if (this.#waitingFor === "nothing") this.#wire.resume();
    else this.#wire.pause();
  }

  /** False when the packet has to be handled again later. */
  #handle(packet: Packet, now: number): boolean {
    if (this.#state === "new") {
      if (packet.cmd === "connect") this.#handleConnect(packet);
      // Before CONNECT there is no version to answer in.
      else this.#close();
      return true;
    }
    switch (packet.cmd) {
      case "publish":
        return this.#handlePublish(packet, now);
      case "puback":
        this.#session.acknowledge(packet.messageId as number);
        this.#sendWaiting(now);
        return true;
      case "subscribe":
        this.#handleSubscribe(packet);
        return true;
      case "unsubscribe":
        this.#handleUnsubscribe(packet);
        return true;
      case "pingreq":
        this.#write({ cmd: "pingresp" });
        return true;
      case "disconnect": {
        this.#publishesWill = packet.reasonCode === CODE.disconnectWithWill;
        const expiry = packet.properties?.sessionExpiryInterval;
        // It cannot be asked for now when the client wanted none at the beginning.
        if (expiry !== undefined && this.#keepMs > 0) this.#keepMs = sessionMs(expiry);
        this.#close();
        return true;
      }
      default:
        this.#refuse(CODE.protocolError);
        return true;
    }
  }

  #handleConnect(packet: IConnectPacket): void {
    const { protocolVersion = 4, clean = true, keepalive = 0, properties = {} } = packet;
    if (protocolVersion === 3) {
      this.#write({ cmd: "connack", returnCode: CONNACK_3.version, sessionPresent: false });
      return this.#close();
    }
    this.#version = protocolVersion;
    if (packet.will !== undefined && !isTopic(packet.will.topic)) return this.#refuseConnect(CODE.topicNameInvalid);
    if (packet.will?.qos === 2) return this.#refuseConnect(CODE.qosNotSupported);
    if (properties.authenticationMethod !== undefined) return this.#refuseConnect(CODE.badAuthenticationMethod);
    if (packet.clientId === "" && this.#version === 4 && !clean) return this.#refuseConnect(CODE.clientIdInvalid);
    this.#assigned = packet.clientId === "";
    this.#clientId = this.#assigned ? `auto-${randomUUID()}` : packet.clientId;
    this.#keepMs = this.#version === 5 ? sessionMs(properties.sessionExpiryInterval ?? 0) : clean ? 0 : MAX_SESSION_MS;
    this.#maxInFlight = Math.min(MAX_IN_FLIGHT, properties.receiveMaximum ?? MAX_IN_FLIGHT);
    this.#maxPacketBytes = properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    // One and a half times what the client has promised; without a promise it may be silent for ever.
    this.#silentAfterMs = keepalive > 0 ? keepalive * 1_500 : Number.POSITIVE_INFINITY;
    this.#connect = packet;
    this.#waitingFor = "grant";
    this.#hub.claim(this, { clientId: this.#clientId, clean, will: willOf(packet, this.#clientId) });
  }

  #handlePublish(packet: IPublishPacket, now: number): boolean {
    if (packet.qos === 2) {
      this.#refuse(CODE.qosNotSupported);
      return true;
    }
    if (packet.properties?.topicAlias !== undefined || (packet.topic === "" && this.#version === 5)) {
      this.#refuse(CODE.topicAliasInvalid);
      return true;
    }
    if (!isTopic(packet.topic)) {
      this.#refuse(CODE.topicNameInvalid);
      return true;
    }
    if (!this.#hub.publish(this, messageOf(packet, packet.qos, this.#clientId, now))) {
      this.#waitingFor = "room";
      return false;
    }
    this.#counts.received++;
    if (packet.qos === 1) this.#wire.write(acknowledgement(packet.messageId as number));
    return true;
  }

  #handleSubscribe(packet: ISubscribePacket): void {
    if (packet.properties?.subscriptionIdentifier !== undefined) return this.#refuse(CODE.subscriptionIdNotSupported);
    const granted: number[] = [];
    const taken: Subscription[] = [];
    for (const { topic: filter, qos, nl = false, rap = false, rh = 0 } of packet.subscriptions) {
      const code = isShared(filter) ? CODE.sharedNotSupported : isFilter(filter) ? undefined : CODE.topicFilterInvalid;
      if (code !== undefined) {
        granted.push(this.#version === 5 ? code : SUBACK_3_FAILED);
        continue;
      }
      const most = qos > 0 ? 1 : 0;
      granted.push(most);
      taken.push({ filter, qos: most, noLocal: nl, retainAsPublished: rap, retainHandling: rh });
      this.#session.filters.add(filter);
    }
    const answer = (): void => this.#write({ cmd: "suback", messageId: packet.messageId as number, granted });
    this.#ask(taken, answer, () => this.#hub.subscribe(this, taken));
  }

  #handleUnsubscribe(packet: IUnsubscribePacket): void {
    const filters = packet.unsubscriptions.filter((filter) => this.#session.filters.delete(filter));
    const granted = packet.unsubscriptions.map((filter) =>
      filters.includes(filter) ? CODE.success : CODE.noSubscriptionExisted,
    );
    const answer = (): void => this.#write({ cmd: "unsuback", messageId: packet.messageId as number, granted });
    this.#ask(filters, answer, () => this.#hub.unsubscribe(this, filters));
  }

  #ask(about: readonly unknown[], answer: () => void, ask: () => void): void {
    if (about.length === 0) return answer();
    this.#onConfirmed = answer;
    this.#waitingFor = "confirmation";
    ask();
  }

  #hasRoom(): boolean {
    return this.#session.inFlight < this.#maxInFlight && this.#wire.buffered < BUFFERED_ENOUGH;
  }

  #sendWaiting(now: number): void {
    while (this.#session.waiting > 0 && this.#hasRoom()) {
      const delivery = this.#session.next(now);
      if (delivery !== undefined) this.#sendFirst(delivery, now);
    }
  }

  #sendFirst(delivery: Delivery, now: number): void {
    this.#writePublish(delivery, this.#session.send(delivery), false, now);
  }

  #writePublish(delivery: Delivery, packetId: number, again: boolean, now: number): void {
    const bytes = publication(delivery, packetId, again, this.#version, now);
    if (bytes.byteLength > this.#maxPacketBytes) {
      // The client has said that it takes no such packet, so the message counts as done.
      if (packetId !== 0) this.#session.acknowledge(packetId);
      this.#counts.dropped++;
      return;
    }
    this.#counts.sent++;
    this.#wire.write(bytes);
  }

  #write(packet: Packet): void {
    this.#wire.write(encode(packet, this.#version));
  }

  #abilities(connect: IConnectPacket) {
    return {
      maximumQoS: 1,
      maximumPacketSize: MAX_PACKET_BYTES,
      sharedSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
      ...(this.#assigned ? { assignedClientIdentifier: this.#clientId } : {}),
      ...((connect.properties?.sessionExpiryInterval ?? 0) * 1_000 > MAX_SESSION_MS
        ? { sessionExpiryInterval: MAX_SESSION_MS / 1_000 }
        : {}),
    };
  }

  #refuseConnect(code: Code): void {
    const returnCode = code === CODE.clientIdInvalid ? CONNACK_3.clientId : CONNACK_3.unavailable;
    this.#write({ cmd: "connack", reasonCode: code, returnCode, sessionPresent: false });
    this.#close();
  }

  /** Version 5 tells the client why. */
  #refuse(code: Code): void {
    if (this.#state === "open" && this.#version === 5) this.#write({ cmd: "disconnect", reasonCode: code });
    this.#close();
  }

  #close(): void {
    this.#wire.end();
    this.closed();
  }
}

const SUBACK_3_FAILED = 0x80;
