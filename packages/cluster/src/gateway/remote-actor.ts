import type { Guest, GuestCaller, GuestMessage, Guests } from "@mini-otp/runtime/guests";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { isActorError, NOPROC } from "@mini-otp/worker-host/protocol/errors";
import { type ActorRef, noConnection, noproc } from "@mini-otp/worker-host/protocol/refs";
import type { Payload } from "@mini-otp/worker-host/protocol/ring";
import type { Codec } from "@mini-otp/worker-host/protocol/values";
import type { Limits } from "../link/hello.js";
import { CALL, CANCEL, CAST, EXIT, LINK, MONITOR, record, SEND, UNLINK, type WireRecord } from "./records.js";
import type { GlobalRef } from "./references.js";
import { tooLarge } from "./too-large.js";
import { carriedReason, valueToWire } from "./values.js";

/** What a proxy needs of the link to its node. */
export interface RemoteActorLink {
  readonly guests: Guests;
  readonly codec: Codec;
  readonly limits: Limits;
  readonly isUp: boolean;
  /** Its node has another version of the protocol. */
  readonly isIncompatible: boolean;
  readonly hasRoom: boolean;
  /** True when all of it is on its way; else `gone` is called once it is. */
  send(record: WireRecord, gone?: () => void): boolean;
  /** Is woken when there is room again. */
  waitsForRoom(proxy: RemoteActor): void;
  /** The number of a call whose reply goes to this caller. */
  callOf(proxy: RemoteActor, caller: GuestCaller): number;
  /** The number of a call that its caller has given up; it waits no more. */
  givenUp(callerUid: number, correlation: number): number | undefined;
}

/** A ring holds what senders have sent while the window is full. */
const RING_BYTES = 256 * 1024;
const RING_MESSAGES = 1024;

/** One remote actor as this node's actors see it: what they send to it waits here, in order, for the window. */
export class RemoteActor {
  readonly global: GlobalRef;
  readonly id: string;
  readonly guest: Guest;
  readonly #link: RemoteActorLink;
  readonly #ref: ActorRef;
  /** Calls that have left and are not answered. */
  underWay = 0;
  /** Its owner has said that it is gone for good. */
  isForgotten = false;
  #messages = 0;
  #bytes = 0;
  /** A large message is on its way: what is sent after it does not pass it. */
  #held = false;
  /** Its end is to be told: a MONITOR is out. */
  #watching = false;

  constructor(link: RemoteActorLink, global: GlobalRef) {
    this.#link = link;
    this.global = global;
    this.id = `${global.node}:${global.path}`;
    this.guest = link.guests.open({
      id: this.id,
      mailboxBytes: RING_BYTES,
      capacity: RING_MESSAGES,
      leavesWith: link.limits.messageBytes,
      wantsBytes: true,
      hasRoom: () => this.#hasRoom,
      onMessage: (message) => this.#take(message),
      onCancel: (uid, correlation) => this.#cancel(uid, correlation),
      signals: {
        watched: () => this.#watch(),
        linked: (partner) => this.#signal(LINK, partner),
        unlinked: (partner) => this.#signal(UNLINK, partner),
        exit: (from, reason) => this.#exit(from, reason),
      },
    });
    this.#ref = global.isRouter ? link.guests.farRouter(this.guest.ref) : this.guest.ref;
    if (!link.isUp) this.guest.slot.close(this.#noconnection);
    if (link.isIncompatible) this.incompatible();
  }

  get ref(): ActorRef {
    return this.#ref;
  }

  /** So much has left the receiver's gateway. */
  credit(messages: number, bytes: number): void {
    this.#messages = Math.max(0, this.#messages - messages);
    this.#bytes = Math.max(0, this.#bytes - bytes);
    this.wake();
  }

  /** What is gone has no path on its node any more: an error names it by its number. */
  knownBy(value: unknown): unknown {
    const { node, uid } = this.global;
    const isGone = isActorError(value, "ERR_NOPROC") && value.id === `${node}:${uid}`;
    return isGone ? noproc(this, String(value.method)) : value;
  }

  wake(): void {
    if (this.#hasRoom) this.guest.slot.wake();
  }

  /** The actor's life that is watched has ended. */
  ended(reason: ExitReason): void {
    this.#watching = false;
    this.guest.lifeEnded(reason);
  }

  /** The remote actor has linked itself to one of this node's, or takes that back. */
  link(op: "link" | "unlink", to: ActorRef): void {
    if (op === "link") this.#watch();
    this.guest.signal(op, to);
  }

  /** The session is over. What has not left is certainly not handled, and its senders are told so. */
  disconnected(): void {
    this.underWay = 0;
    this.guest.slot.close(this.#noconnection, (message) => this.#unsent(message));
    if (this.#watching) this.ended(this.#noconnection);
  }

  /** After `disconnected`: its node is there, and nothing can go to it. */
  incompatible(): void {
    this.guest.slot.refuseIncompatible();
  }

  connected(): void {
    this.#messages = this.#bytes = 0;
    this.#held = false;
    this.guest.slot.reopen();
  }

  /** It, or its node's incarnation, is gone for good. */
  dispose(): void {
    this.guest.slot.close(NOPROC, (message) => this.#refused(message));
    this.guest.dispose(NOPROC);
  }

  get #noconnection(): ExitReason {
    return { kind: "noconnection", node: this.global.node };
  }

  get #hasRoom(): boolean {
    const { windowMessages, windowBytes } = this.#link.limits;
    if (this.#held || this.#messages >= windowMessages || this.#bytes >= windowBytes) return false;
    if (!this.#link.hasRoom) this.#link.waitsForRoom(this);
    return this.#link.hasRoom;
  }

  #take(taken: GuestMessage): void {
    const { kind, method, raw, undecodable, size, caller } = taken;
    const { codec, guests } = this.#link;
    const { uid: target, isRouter } = this.global;
    const { args, keyHash } = isRouter ? guests.unmarked(this.#ref, taken) : { args: taken.args, keyHash: undefined };
    let encoded: Pick<Payload, "format" | "bytes" | "length">;
    try {
      if (undecodable !== undefined) throw undecodable.error;
      encoded = raw ?? codec.encodeArgs(args, undefined, true);
      // Its node takes less than this one, or references are longer where they leave.
      const limit = this.#link.limits.messageBytes;
      if (encoded.length > limit) throw tooLarge(this.id, method, encoded.length, limit);
    } catch (error) {
      if (caller !== undefined) this.guest.slot.answer(caller, "failure", error);
      else guests.deadLetter(this.id, method, "unhandled");
      return;
    }
    this.#messages++;
    this.#bytes += size;
    const { format, bytes: payload, length } = encoded;
    const token = caller === undefined ? 0 : this.#link.callOf(this, caller);
    const sent = kind === "send" ? "" : method;
    const message = {
      op: opOf(kind),
      format,
      method: sent,
      target,
      keyHash: keyHash ?? this.global.keyHash,
      isRouted: keyHash !== undefined,
      token,
      payload,
      length,
    };
    this.#held = !this.#link.send(message, this.#gone);
  }

  readonly #gone = (): void => {
    this.#held = false;
    this.wake();
  };

  #unsent({ method, caller }: GuestMessage): void {
    const { guests } = this.#link;
    if (caller === undefined) guests.deadLetter(this.id, method, "no_connection", this.#noconnection);
    else this.guest.slot.refuse(caller, noConnection(this, method));
  }

  #refused({ method, caller }: GuestMessage): void {
    if (caller === undefined) this.#link.guests.deadLetter(this.id, method, "queued", NOPROC);
    else this.guest.slot.refuse(caller, noproc(this, method));
  }

  #cancel(callerUid: number, correlation: number): void {
    const token = this.#link.givenUp(callerUid, correlation);
    if (token !== undefined && this.#link.isUp) this.#link.send(this.#record(CANCEL, { token }));
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    if (this.#link.isUp) this.#link.send(this.#record(MONITOR));
    // The end must not be told before the watcher has its monitor.
    else queueMicrotask(() => this.ended(this.#noconnection));
  }

  #signal(op: typeof LINK | typeof UNLINK, partner: ActorRef): void {
    if (op === LINK) this.#watch();
    if (this.#link.isUp) this.#link.send(this.#record(op, valueToWire(this.#link.codec, partner)));
  }

  #exit(from: ActorRef | undefined, reason: ExitReason | "kill"): void {
    if (!this.#link.isUp) return;
    const { codec, limits } = this.#link;
    const carried = reason === "kill" ? reason : carriedReason(codec, reason);
    let wire = valueToWire(codec, [from ?? null, carried]);
    const { length } = wire.payload;
    if (length > limits.messageBytes) {
      const error = tooLarge(this.id, "", length, limits.messageBytes, "an exit reason");
      wire = valueToWire(codec, [from ?? null, { kind: "error", error }]);
    }
    this.#link.send(this.#record(EXIT, wire));
  }

  #record(op: number, rest: Partial<WireRecord> = {}): WireRecord {
    return record(op, { target: this.global.uid, keyHash: this.global.keyHash, ...rest });
  }
}

function opOf(kind: GuestMessage["kind"]): number {
  switch (kind) {
    case "call":
      return CALL;
    case "cast":
      return CAST;
    case "send":
      return SEND;
  }
}
