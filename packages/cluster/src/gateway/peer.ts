import type { Down, ExitReason } from "@mini-otp/runtime";
import type { GuestCaller, Guests } from "@mini-otp/runtime/guests";
import { type ActorRef, noConnection } from "@mini-otp/worker-host/protocol/refs";
import { isWithoutReferences } from "@mini-otp/worker-host/protocol/ring";
import type { Codec } from "@mini-otp/worker-host/protocol/values";
import { decodeFrame, encodeFrame, FRAME_HEADER_BYTES } from "../link/frame.js";
import { type Hello, type Limits, smaller } from "../link/hello.js";
import {
  hasRoom,
  type LinkAction,
  type LinkEnd,
  type LinkEvent,
  type LinkState,
  linkStep,
  newLink,
} from "../link/link.js";
import { creditIn } from "./credits.js";
import { Outgoing, Pieces } from "./outgoing.js";
import { Proxies } from "./proxies.js";
import {
  CALL,
  CANCEL,
  CAST,
  CREDIT,
  DOWN,
  EXIT,
  FAILURE,
  FORGET,
  FRAGMENT,
  GROUP,
  LINK,
  MONITOR,
  REPLY,
  readRecords,
  record,
  SEND,
  UNLINK,
  type WireRecord,
} from "./records.js";
import type { GlobalRef } from "./references.js";
import { RemoteActor } from "./remote-actor.js";
import { exitIn, Serving } from "./serving.js";
import { reasonFromWire, valueFromWire } from "./values.js";

export interface PeerHost {
  readonly self: Hello;
  readonly node: string;
  readonly guests: Guests;
  readonly codec: Codec;
  /** What this node takes of others. */
  readonly limits: Limits;
  /** What stands here for one node's actors at most. */
  readonly maxReferences: number;
  /** Above each that a link of this node has had. */
  firstEpoch(): number;
  readonly fragmentBytes: number;
  connected(): boolean;
  now(): number;
  publish(node: string, frame: Uint8Array): void;
  reachable(uid: number, keyHash: number | undefined): ActorRef | undefined;
  monitor(ref: ActorRef, listener: (down: Down) => void): () => void;
  guestOf(ref: ActorRef): { readonly proxy: RemoteActor; readonly peer: Peer } | undefined;
  /** What a peer asks of this node itself. */
  control(peer: Peer, method: string, args: unknown[], signal: AbortSignal): Promise<unknown>;
  /** Whether this node may end actors here. */
  mayExit(node: string): boolean;
  linkUp(peer: Peer): void;
  /** `wasUp`: there was a session. */
  linkDown(peer: Peer, why: LinkEnd, wasUp: boolean): void;
  groupChanged(peer: Peer, record: WireRecord): void;
  /** It stands for nothing any more. */
  proxyGone(proxy: RemoteActor): void;
  /** Ends actors here as the peer has asked for. */
  exit(to: ActorRef, from: RemoteActor | undefined, reason: ExitReason | "kill"): void;
}

interface BothWays {
  in: number;
  out: number;
}

/** What has gone over the link, what was sent again included. */
export interface Traffic {
  readonly frames: BothWays;
  readonly records: BothWays;
  readonly bytes: BothWays;
}

/** Of a record, with the longest name of a method. */
const MOST_HEADER_BYTES = 20 + 16 * 1024;
/** Replies and signals wait for no window. A peer that asks for so much, and acknowledges nothing of it, is let go. */
const MOST_UNACKED_BYTES = 64 * 1024 * 1024;

/** A link is full again and again while much is sent: for so long it is worth a word. */
const FULL_MS = 1000;

interface SentCall {
  readonly proxy: RemoteActor;
  readonly caller: GuestCaller;
}

/**
 * Another node: the link to it, what stands here for its actors, and what it asks of this node's. Over 350 lines, because a
 * session's beginning and end change all of it in one order.
 */
export class Peer {
  readonly node: string;
  readonly guests: Guests;
  readonly codec: Codec;
  /** What goes between the two. */
  limits: Limits;
  readonly link: LinkState;
  /** Frames and records that could not be what a gateway sends. */
  damaged = 0;
  /** It has said good-bye. */
  hasLeft = false;
  /** Since when there is no session. */
  awaySince: number;
  readonly traffic: Traffic = { frames: { in: 0, out: 0 }, records: { in: 0, out: 0 }, bytes: { in: 0, out: 0 } };
  readonly #host: PeerHost;
  readonly #outgoing: Outgoing;
  readonly #pieces: Pieces;
  readonly #proxies = new Proxies();
  readonly #waiting = new Set<RemoteActor>();
  readonly #calls = new Map<number, SentCall>();
  /** By caller and its correlation. */
  readonly #tokens = new Map<number, Map<number, number>>();
  readonly #serving: Serving;
  #lastToken = 0;
  #saidTooMany = false;
  #saidMayNotExit = false;
  #saidFull = false;
  #wasUp = false;
  #isEnding = false;

  constructor(host: PeerHost, node: string) {
    this.node = node;
    this.guests = host.guests;
    this.codec = host.codec;
    this.limits = host.limits;
    this.#host = host;
    this.link = newLink(host.self, host.firstEpoch());
    this.awaySince = host.now();
    this.link.connected = host.connected();
    this.#outgoing = new Outgoing(
      host.fragmentBytes,
      (whole) => this.step({ type: "data", body: whole.subarray(FRAME_HEADER_BYTES), whole }),
      () => this.hasRoom,
    );
    // What its header takes comes on top of the message.
    this.#pieces = new Pieces(host.limits.messageBytes + MOST_HEADER_BYTES);
    this.#serving = new Serving({
      node: host.node,
      guests: host.guests,
      codec: host.codec,
      takes: host.limits,
      limits: () => this.limits,
      isUp: () => this.isUp,
      send: (record) => void this.send(record),
      reachable: (uid, keyHash) => host.reachable(uid, keyHash),
      monitor: (ref, listener) => host.monitor(ref, listener),
      control: (method, args, signal) => host.control(this, method, args, signal),
      proxyOf: (ref) => this.#own(ref),
    });
  }

  get isUp(): boolean {
    return this.link.phase === "up";
  }

  get isIncompatible(): boolean {
    return this.link.phase === "incompatible";
  }

  /** Without a connection nothing new is taken: what has not left is certainly not handled. */
  get hasRoom(): boolean {
    return this.link.connected && hasRoom(this.link);
  }

  /** Whether what this node has for it has found no room for long now. True once, until there is room again. */
  hasBeenFull(now: number): boolean {
    const { fullSince } = this.link;
    if (fullSince === undefined) this.#saidFull = false;
    else if (!this.#saidFull && now - fullSince >= FULL_MS) {
      this.#saidFull = true;
      return true;
    }
    return false;
  }

  get proxies(): number {
    return this.#proxies.size;
  }

  get callsInDoubt(): number {
    return this.#calls.size;
  }

  waitsForRoom(proxy: RemoteActor): void {
    this.#waiting.add(proxy);
  }

  step(event: LinkEvent): void {
    for (const action of linkStep(this.link, event, this.#host.now())) this.#carryOut(action);
  }

  frame(bytes: Uint8Array): void {
    // A probe, which asks only whether anything listens.
    if (bytes.length === 0) return;
    this.traffic.frames.in++;
    this.traffic.bytes.in += bytes.length;
    const frame = decodeFrame(bytes);
    if (frame === undefined) this.damaged++;
    else this.step({ type: "frame", frame });
  }

  send(sent: WireRecord, gone?: () => void): boolean {
    this.traffic.records.out++;
    if (this.#isEnding) return true;
    const isGone = this.#outgoing.add(sent, gone);
    if (this.link.unackedBytes + this.#outgoing.waitingBytes > MOST_UNACKED_BYTES) this.#endSoon();
    return isGone;
  }

  /** Not at once: what is sent comes from the middle of other work. What would be sent until then is lost with the session. */
  #endSoon(): void {
    this.#isEnding = true;
    const { node } = this;
    this.guests.logger.warn(
      { node },
      `the connection to node ${node} ends: it acknowledges nothing of what it has asked for`,
    );
    setImmediate(() => {
      this.#isEnding = false;
      if (this.isUp) this.step({ type: "end", why: "reset" });
    });
  }

  /** What stands here for this actor of its; undefined where that would be one too many. */
  proxyFor(global: GlobalRef): RemoteActor | undefined {
    const known = this.#proxies.get(global);
    if (known !== undefined) return known;
    if (this.#proxies.size >= this.#host.maxReferences) {
      this.#tooMany();
      return undefined;
    }
    const proxy = new RemoteActor(this, global);
    this.#proxies.add(proxy);
    return proxy;
  }

  /** An actor of this node's is gone for good. */
  gone(uid: number): void {
    this.#serving.gone(uid);
    if (this.isUp) this.send(record(FORGET, { target: uid }));
  }

  /** Nothing is kept of it. */
  dispose(): void {
    for (const proxy of this.#proxies.takeOthers()) this.#dispose(proxy);
  }

  #tooMany(): void {
    this.damaged++;
    if (this.#saidTooMany) return;
    this.#saidTooMany = true;
    const { maxReferences } = this.#host;
    const facts = { node: this.node, maxReferences };
    this.guests.logger.warn(facts, `references to actors of node ${this.node} beyond maxReferences lead to nothing`);
  }

  /** Its calls that are under way are refused there, and are answered first. */
  #forget(proxy: RemoteActor): void {
    proxy.isForgotten = true;
    if (proxy.underWay > 0) return;
    this.#proxies.remove(proxy);
    this.#dispose(proxy);
  }

  #answered(proxy: RemoteActor): void {
    proxy.underWay--;
    if (proxy.isForgotten && proxy.underWay === 0) this.#forget(proxy);
  }

  #dispose(proxy: RemoteActor): void {
    this.#waiting.delete(proxy);
    proxy.dispose();
    this.#host.proxyGone(proxy);
  }

  callOf(proxy: RemoteActor, caller: GuestCaller): number {
    this.#lastToken = (this.#lastToken + 1) >>> 0 || 1;
    const token = this.#lastToken;
    const { uid, correlation } = caller;
    this.#calls.set(token, { proxy, caller });
    proxy.underWay++;
    const known = this.#tokens.get(uid);
    if (known === undefined) this.#tokens.set(uid, new Map([[correlation, token]]));
    else known.set(correlation, token);
    return token;
  }

  givenUp(callerUid: number, correlation: number): number | undefined {
    const token = this.#tokens.get(callerUid)?.get(correlation);
    if (token === undefined) return undefined;
    this.#forgetToken(callerUid, correlation);
    const call = this.#calls.get(token);
    this.#calls.delete(token);
    if (call !== undefined) this.#answered(call.proxy);
    return token;
  }

  #forgetToken(callerUid: number, correlation: number): void {
    const known = this.#tokens.get(callerUid);
    known?.delete(correlation);
    if (known?.size === 0) this.#tokens.delete(callerUid);
  }

  /** This node leaves. */
  leave(): void {
    this.#outgoing.flush();
    this.step({ type: "bye" });
  }

  #carryOut(action: LinkAction): void {
    switch (action.type) {
      case "send":
        this.#publish(encodeFrame(action.frame));
        break;
      case "deliver":
        if (!readRecords(action.body, (record) => this.#handle(record))) this.damaged++;
        break;
      case "up":
        this.#cameUp(action.peer);
        break;
      case "down":
        this.#refuseUntaken(action.untaken);
        this.#wentDown(action.why);
        break;
      case "room":
        this.#roomAgain();
        break;
    }
  }

  #publish(frame: Uint8Array): void {
    this.traffic.frames.out++;
    this.traffic.bytes.out += frame.length;
    this.#host.publish(this.node, frame);
  }

  #roomAgain(): void {
    this.#outgoing.pump();
    // Not all that there are: room comes again and again.
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const proxy of waiting) proxy.wake();
  }

  #cameUp({ incarnation, limits }: Hello): void {
    this.hasLeft = this.#saidTooMany = this.#saidMayNotExit = false;
    this.limits = smaller(this.#host.limits, limits);
    for (const proxy of this.#proxies.takeOthers(incarnation)) this.#dispose(proxy);
    for (const proxy of this.#proxies) proxy.connected();
    this.#wasUp = true;
    this.#host.linkUp(this);
  }

  /** Calls that are certainly not handled, because the peer has left before it took them. */
  #refuseUntaken(bodies: readonly Uint8Array[]): void {
    for (const body of bodies) {
      readRecords(body, ({ op, token, method }) => {
        const call = op === CALL ? this.#calls.get(token) : undefined;
        if (call === undefined) return;
        this.#calls.delete(token);
        call.proxy.guest.slot.refuse(call.caller, noConnection(call.proxy, method));
      });
    }
  }

  /** Calls of the peer's that are open have been answered. */
  answered(): Promise<void> {
    return this.#serving.answered();
  }

  /** Each watcher is told before the node's end is. */
  #wentDown(why: LinkEnd): void {
    this.awaySince = this.#host.now();
    this.hasLeft = why === "left";
    this.#outgoing.clear();
    this.#pieces.clear();
    this.#serving.disconnected();
    this.#calls.clear();
    this.#tokens.clear();
    for (const proxy of [...this.#proxies]) {
      proxy.disconnected();
      if (why === "incompatible") proxy.incompatible();
      if (proxy.isForgotten) this.#forget(proxy);
    }
    const wasUp = this.#wasUp;
    this.#wasUp = false;
    this.#host.linkDown(this, why, wasUp);
  }

  /** Nothing that a peer sends ends more than what it sent. */
  #handle(taken: WireRecord): void {
    // A piece is no record: the whole is.
    if (taken.op !== FRAGMENT) this.traffic.records.in++;
    try {
      this.#dispatch(taken);
    } catch {
      this.damaged++;
    }
  }

  #dispatch(taken: WireRecord): void {
    switch (taken.op) {
      case CALL:
      case CAST:
      case SEND:
        return this.#serving.take(taken);
      case REPLY:
      case FAILURE:
        return this.#settle(taken);
      case CANCEL:
        return this.#serving.cancel(taken.token);
      case CREDIT: {
        const credit = creditIn(taken);
        if (credit !== undefined) this.#proxyOf(taken)?.credit(credit.messages, credit.bytes);
        return;
      }
      case MONITOR:
        return this.#serving.watch(taken);
      case DOWN:
        return this.#proxyOf(taken)?.ended(reasonFromWire(this.codec, taken));
      case LINK:
      case UNLINK:
        return this.#serving.link(taken);
      case EXIT:
        return this.#exit(taken);
      case FRAGMENT:
        return this.#piece(taken);
      case FORGET:
        for (const proxy of this.#proxies.of(this.link.peer?.incarnation ?? "", taken.target)) this.#forget(proxy);
        return;
      case GROUP:
        return this.#host.groupChanged(this, taken);
    }
  }

  #settle(taken: WireRecord): void {
    const call = this.#calls.get(taken.token);
    if (call === undefined) return;
    this.#calls.delete(taken.token);
    this.#forgetToken(call.caller.uid, call.caller.correlation);
    this.#answer(call, taken);
    this.#answered(call.proxy);
  }

  #answer(call: SentCall, taken: WireRecord): void {
    const { slot } = call.proxy.guest;
    if (taken.op === REPLY && isWithoutReferences(taken.format)) {
      slot.answerEncoded(call.caller, { format: taken.format, bytes: taken.payload });
      return;
    }
    let value: unknown;
    try {
      value = valueFromWire(this.codec, taken);
    } catch (error) {
      slot.answer(call.caller, "failure", error);
      return;
    }
    slot.answer(call.caller, taken.op === REPLY ? "reply" : "failure", call.proxy.knownBy(value));
  }

  #exit(record: WireRecord): void {
    const { from, reason } = exitIn(this.codec, record);
    const to = this.#host.reachable(record.target, record.keyHash);
    if (to === undefined) return;
    if (!this.#host.mayExit(this.node)) {
      if (this.#saidMayNotExit) return;
      this.#saidMayNotExit = true;
      this.guests.logger.warn({ node: this.node, actor: to.id }, `${this.node} may not end ${to.id}: allow.exit`);
      return;
    }
    this.#host.exit(to, from === null ? undefined : this.#own(from), reason);
  }

  #piece(record: WireRecord): void {
    const whole = this.#pieces.add(record);
    if (whole === null) this.damaged++;
    // A piece of pieces is none.
    else if (whole !== undefined && whole[4] !== FRAGMENT && !readRecords(whole, (inner) => this.#handle(inner)))
      this.damaged++;
  }

  #proxyOf({ target: uid, keyHash }: WireRecord): RemoteActor | undefined {
    const incarnation = this.link.peer?.incarnation;
    return incarnation === undefined ? undefined : this.#proxies.get({ incarnation, uid, keyHash });
  }

  /** What stands here for an actor of this peer's, and of no other. */
  #own(ref: ActorRef): RemoteActor | undefined {
    const found = this.#host.guestOf(ref);
    return found?.peer === this ? found.proxy : undefined;
  }
}
