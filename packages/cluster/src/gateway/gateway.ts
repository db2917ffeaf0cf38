import { randomInt } from "node:crypto";
import type { ActorSystem, Down, ExitReason } from "@mini-otp/runtime";
import { Guests } from "@mini-otp/runtime/guests";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { Codec } from "@mini-otp/worker-host/protocol/values";
import type { Engine } from "../engine/engine.js";
import type { Hello, Limits } from "../link/hello.js";
import { fullMs, type LinkEnd } from "../link/link.js";
import { type DetectorState, detectorStep, newDetector, type Verdict, verdictOn } from "../nodes/detector.js";
import { every, type Stop } from "../nodes/every.js";
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from "../nodes/heartbeat.js";
import { NODE_NAME } from "../nodes/node-name.js";
import { MOST_AWAY, toForget } from "./away.js";
import { LightExports } from "./light-exports.js";
import type { LinkReading } from "./link-reading.js";
import { Peer, type PeerHost } from "./peer.js";
import type { WireRecord } from "./records.js";
import { foreignReferences, fromWire, type GlobalRef, GONE } from "./references.js";
import type { RemoteActor } from "./remote-actor.js";
import { NODE } from "./serving.js";

export interface GatewayOptions {
  readonly cluster: string;
  readonly node: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly heartbeatMs: number;
  readonly goneAfterMs: number;
  readonly downAfterMs: number;
  readonly maxMessageBytes: number;
  readonly maxReferences: number;
  readonly window: { readonly messages: number; readonly bytes: number };
  readonly allowExit: readonly string[];
}

export interface GatewayListener {
  nodeUp(node: string): void;
  nodeDown(node: string, why: LinkEnd): void;
  nodeSuspect(node: string): void;
  /** What is for this node waits here, for a second now. */
  linkFull(node: string): void;
  engine(connected: boolean): void;
  /** What another node asks of this one. */
  control(node: string, method: string, args: unknown[], signal: AbortSignal): Promise<unknown>;
  /** What every node calls it, of a reference to what moves; undefined for any other. */
  movingName(ref: ActorRef): string | undefined;
  /** This node's reference to what moves; undefined for what cannot be a name of that. */
  movingRef(name: string): ActorRef | undefined;
  /** False for what is over what a node may say. */
  groupChanged(node: string, group: string, joined: readonly FarRef[], left: readonly string[]): boolean;
}

/** What another node calls one of its actors, and the reference to it here. */
export interface FarRef {
  readonly key: string;
  readonly ref: ActorRef;
}

interface ConnectedNode {
  readonly node: string;
  readonly state: "up" | "suspect" | "leaving";
  readonly last: Heartbeat;
  readonly rttMs: number | undefined;
}

/** Half of a message of the engine's, so that a piece goes with all that comes before it. */
const MAX_FRAGMENT_BYTES = 256 * 1024;
/** How often a link looks whether what it sent was acknowledged, and whether it is to be greeted. */
const TICK_MS = 250;
/** Epochs count up from the first one of a process, in 32 bits. */
const MOST_FIRST_EPOCH = 2 ** 31;
/** With so many nodes this one has sessions at a time: a peer under names that it makes up has no more. */
const MOST_UP = 256;
/** At a tick so many of the actors that others know of are looked for. */
const LOOKED_FOR_AT_ONCE = 1024;

/**
 * This node's end of everything: frames to and from the others, and which of them are there. Over 350 lines, because
 * frames, heartbeats, verdicts and references all read and change one table of peers.
 */
export class Gateway {
  readonly self: Hello;
  readonly guests: Guests;
  readonly #system: ActorSystem;
  readonly #engine: Engine;
  readonly #options: GatewayOptions;
  readonly #listener: GatewayListener;
  readonly #codec: Codec;
  readonly #peers = new Map<string, Peer>();
  /** By the uid of what stands here for it. */
  readonly #proxies = new Map<number, { readonly proxy: RemoteActor; readonly peer: Peer }>();
  readonly #exported = new Set<number>();
  /** Where the look for those that are gone goes on. */
  #lookedFor: Iterator<number> = this.#exported.values();
  #firstEpoch: number;
  /** With so many peers they are looked through at once. */
  #cutAt = 2 * MOST_AWAY;
  /** Of peers that are forgotten. */
  readonly #past = { damaged: 0, resent: 0 };
  readonly #lights: LightExports;
  readonly #heartbeats = new Map<string, Heartbeat>();
  readonly #suspects = new Set<string>();
  readonly #detector: DetectorState;
  readonly #host: PeerHost;
  readonly #timers: Stop[] = [];
  #leaving = false;
  #lagMs = 0;
  #beatAt = 0;
  #tickedAt = 0;
  #closed = false;
  #up = 0;

  constructor(system: ActorSystem, engine: Engine, self: Hello, options: GatewayOptions, listener: GatewayListener) {
    this.#system = system;
    this.#engine = engine;
    this.self = self;
    // Not one that a former process of this name has had: it would be taken for that.
    this.#firstEpoch = randomInt(1, MOST_FIRST_EPOCH);
    this.#options = options;
    this.#listener = listener;
    this.guests = new Guests(system);
    this.#lights = new LightExports({
      light: (ref) => this.guests.light(ref),
      lives: (ref) => this.guests.livesLight(ref),
      monitor: (ref, listener) => system.monitor(ref, listener),
    });
    this.#detector = newDetector(options, this.#now());
    const references = {
      globalOf: (ref: ActorRef) => this.#standInGlobal(ref),
      leaves: (ref: ActorRef) => this.#exportRef(ref),
      refTo: (global: GlobalRef) => this.refTo(global),
    };
    this.#codec = this.guests.codec(foreignReferences(references));
    this.#host = this.#peerHost();
  }

  start(): void {
    const { cluster, node, heartbeatMs } = this.#options;
    this.#engine.onStatus((connected) => this.#status(connected));
    this.#engine.subscribe(`motp.${cluster}.l.${node}.*`, (subject, bytes) => this.#frame(lastToken(subject), bytes));
    this.#engine.subscribe(`motp.${cluster}.hb.*`, (subject, bytes) => this.#heartbeat(lastToken(subject), bytes));
    this.#beatAt = this.#tickedAt = this.#now();
    this.#beat();
    this.#timers.push(
      every(heartbeatMs, () => this.#beat()),
      every(Math.min(TICK_MS, heartbeatMs), () => this.#tick()),
    );
  }

  /** Nodes that are connected, and what they said of themselves last. */
  get nodes(): ConnectedNode[] {
    return [...this.#peers.values()]
      .filter(({ isUp }) => isUp)
      .map(({ node, link: { rttMs } }) => {
        const last = this.#heartbeats.get(node) ?? UNHEARD;
        return { node, state: last.leaving ? "leaving" : this.#suspects.has(node) ? "suspect" : "up", last, rttMs };
      });
  }

  /** Nodes that were connected, and are not any more. */
  get nodesGone(): string[] {
    return [...this.#peers.values()]
      .filter(({ isUp, link }) => !isUp && link.peer !== undefined)
      .map(({ node }) => node);
  }

  isUp(node: string): boolean {
    return this.#peers.get(node)?.isUp === true;
  }

  incarnationOf(node: string): string | undefined {
    return this.#peers.get(node)?.link.peer?.incarnation;
  }

  /** How late main was for its last heartbeat, in which time the gateway did not run. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** Numbers of each link that there is or was. */
  get links(): LinkReading[] {
    const now = this.#now();
    return [...this.#peers.values()]
      .filter(({ link }) => link.peer !== undefined)
      .map(({ node, link, damaged, traffic: { frames, records, bytes }, proxies, callsInDoubt }) => ({
        node,
        rttMs: link.rttMs,
        frames: { ...frames },
        records: { ...records },
        bytes: { ...bytes },
        resent: link.resent,
        damaged: damaged + link.dropped,
        windowFullMs: fullMs(link, now),
        proxies,
        callsInDoubt,
      }));
  }

  get stats() {
    const peers = [...this.#peers.values()];
    const sum = (of: (peer: Peer) => number): number => peers.reduce((total, peer) => total + of(peer), 0);
    return {
      damaged: this.#past.damaged + sum(({ damaged, link }) => damaged + link.dropped),
      resent: this.#past.resent + sum(({ link }) => link.resent),
      proxies: sum(({ proxies }) => proxies),
      callsInDoubt: sum(({ callsInDoubt }) => callsInDoubt),
    };
  }

  /** What this reference is to every node. From now on the others may send to it. */
  globalOf(ref: ActorRef): GlobalRef {
    return this.#standInGlobal(ref) ?? this.#exportRef(ref);
  }

  #standInGlobal(ref: ActorRef): GlobalRef | undefined {
    const global = this.#standIn(ref)?.proxy.global;
    const keyHash = global?.isRouter === true ? this.guests.keyHashOf(ref) : undefined;
    return global === undefined || keyHash === undefined ? global : { ...global, keyHash, isRouter: false };
  }

  /** What stands here for another node's. */
  #standIn(ref: ActorRef): { readonly proxy: RemoteActor; readonly peer: Peer } | undefined {
    return this.#lights.isOne(ref) ? undefined : this.#proxies.get(ref.uid);
  }

  /** The actor or router of this node that a reference means; undefined for what is gone, or another node's. */
  own(ref: ActorRef): ActorRef | undefined {
    return this.#lights.isOne(ref) ? ref : this.guests.own(ref.uid);
  }

  refTo(global: GlobalRef): ActorRef {
    const { node, incarnation, uid, path, keyHash } = global;
    // It is no node's: each has its own way to where it is.
    if (uid === NODE && path !== "") return this.#listener.movingRef(path) ?? this.guests.gone(path);
    if (node !== this.#options.node) {
      const peer = this.#peerOf(node);
      const known = peer.link.peer?.incarnation;
      // Of one that its node has outlived.
      if (known !== undefined && peer.isUp && known !== incarnation) return this.guests.gone(`${node}:${path}`);
      const proxy = peer.proxyFor(global);
      if (proxy === undefined) return this.guests.gone(`${node}:${path}`);
      this.#proxies.set(proxy.ref.uid, { proxy, peer });
      return proxy.ref;
    }
    const isOwn = incarnation === this.self.incarnation;
    const own = isOwn ? (this.#lights.ref(uid) ?? this.guests.own(uid)) : undefined;
    if (own === undefined) return this.guests.gone(path);
    return keyHash === undefined ? own : this.guests.ownForKey(own, keyHash);
  }

  /** To ask a node itself; undefined while it is not connected. */
  nodeRef(node: string): ActorRef | undefined {
    const peer = this.#peers.get(node);
    const incarnation = peer?.link.peer?.incarnation;
    if (peer?.isUp !== true || incarnation === undefined) return undefined;
    return this.refTo({ node, incarnation, uid: NODE, path: "", keyHash: undefined, isRouter: false });
  }

  /** Members of a group on this node, told to one node or to all that are connected. */
  tellGroup(record: (codec: Codec) => WireRecord, node?: string): void {
    for (const peer of this.#peers.values()) {
      if (peer.isUp && (node === undefined || peer.node === node)) peer.send(record(this.#codec));
    }
  }

  /** From now on the others give this node nothing new. */
  announceLeaving(): void {
    this.#leaving = true;
    this.#beat();
  }

  /** Resolves when what other nodes' calls have asked for so far has been answered. */
  async answered(): Promise<void> {
    await Promise.all([...this.#peers.values()].map((peer) => peer.answered()));
  }

  /** Says good-bye. What was sent before has been flushed when it resolves. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const stop of this.#timers) stop();
    this.#lights.close();
    for (const peer of this.#peers.values()) peer.leave();
    await this.#engine.flush().catch(() => {});
  }

  #peerHost(): PeerHost {
    const { node, cluster, maxReferences, allowExit } = this.#options;
    const engine = this.#engine;
    return {
      self: this.self,
      node,
      guests: this.guests,
      codec: this.#codec,
      limits: limitsOf(this.#options),
      maxReferences,
      firstEpoch: () => this.#firstEpoch,
      fragmentBytes: Math.min(MAX_FRAGMENT_BYTES, engine.maxPayloadBytes >> 1),
      connected: () => engine.connected,
      now: () => this.#now(),
      publish: (to, frame) => engine.publish(`motp.${cluster}.l.${to}.${node}`, frame),
      reachable: (uid, keyHash) => this.#reachable(uid, keyHash),
      monitor: (ref, listener) => this.#system.monitor(ref, listener as (down: Down<ActorRef>) => void),
      control: (peer, method, args, signal) => this.#listener.control(peer.node, method, args, signal),
      guestOf: (ref) => this.#standIn(ref),
      mayExit: (from) => allowExit.includes(from) || allowExit.includes("*"),
      linkUp: (peer) => {
        this.#up++;
        this.#listener.nodeUp(peer.node);
      },
      linkDown: (peer, why, wasUp) => this.#linkDown(peer, why, wasUp),
      groupChanged: (peer, record) => this.#groupChanged(peer, record),
      proxyGone: ({ ref }) => void this.#proxies.delete(ref.uid),
      exit: (to, from, reason) => this.#exit(to, from, reason),
    };
  }

  #exit(to: ActorRef, from: RemoteActor | undefined, reason: ExitReason | "kill"): void {
    if (from === undefined) this.#system.exit(to, reason as ExitReason);
    else from.guest.signal("exit", to, reason);
  }

  #peerOf(node: string): Peer {
    const known = this.#peers.get(node);
    if (known !== undefined) return known;
    const peer = new Peer(this.#host, node);
    this.#peers.set(node, peer);
    // One node may name many in no time.
    if (this.#peers.size >= this.#cutAt) this.#cutAway(this.#now());
    return peer;
  }

  #exportRef(ref: ActorRef): GlobalRef {
    const { node } = this.#options;
    const moving = this.#lights.isOne(ref) ? undefined : this.#listener.movingName(ref);
    if (moving !== undefined) {
      const { incarnation } = this.self;
      return { node, incarnation, uid: NODE, path: moving, keyHash: undefined, isRouter: false };
    }
    const path = ref.id;
    const uid = this.#lights.isOne(ref) ? this.#lights.numberOf(ref) : ref.uid;
    if (uid === NODE) return { ...GONE, node, path };
    this.#exported.add(uid);
    const keyHash = this.guests.keyHashOf(ref);
    return {
      node,
      incarnation: this.self.incarnation,
      uid,
      path,
      keyHash: keyHash === undefined ? keyHash : keyHash >>> 0,
      isRouter: keyHash === undefined && this.guests.isRouter(ref),
    };
  }

  #reachable(uid: number, keyHash: number | undefined): ActorRef | undefined {
    const own = this.#exported.has(uid) ? (this.#lights.ref(uid) ?? this.guests.own(uid)) : undefined;
    if (own === undefined) this.#exported.delete(uid);
    return own === undefined || keyHash === undefined ? own : this.guests.ownForKey(own, keyHash);
  }

  #frame(node: string, bytes: Uint8Array): void {
    if (!this.#takesFrom(node)) return;
    const peer = this.#peerOf(node);
    peer.frame(bytes);
    if (peer.isUp) this.#heard(node);
  }

  #takesFrom(node: string): boolean {
    if (this.#closed || !NODE_NAME.test(node) || node === this.#options.node) return false;
    return this.#up < MOST_UP || this.isUp(node);
  }

  #heard(node: string): void {
    detectorStep(this.#detector, { type: "heard", node }, this.#now());
    this.#suspects.delete(node);
  }

  #heartbeat(node: string, bytes: Uint8Array): void {
    if (!this.#takesFrom(node)) return;
    const heartbeat = decodeHeartbeat(bytes);
    if (heartbeat === undefined) return;
    const isNew = !this.#heartbeats.has(node);
    this.#heartbeats.set(node, heartbeat);
    this.#heard(node);
    const peer = this.#peerOf(node);
    if (!peer.isUp && !this.#leaving) {
      peer.step({ type: "greet" });
      // It does not wait a heartbeat long to know of this one.
      if (isNew) this.#beat();
    }
  }

  #beat(): void {
    const now = this.#now();
    this.#lagMs = Math.max(0, now - this.#beatAt - this.#options.heartbeatMs);
    this.#beatAt = now;
    if (!this.#engine.connected || this.#closed) return;
    const { cluster, node, version, labels } = this.#options;
    const { incarnation, startedAt } = this.self;
    const lagMs = Math.round(this.#lagMs);
    const heartbeat = encodeHeartbeat({ incarnation, startedAt, version, labels, leaving: this.#leaving, lagMs });
    this.#engine.publish(`motp.${cluster}.hb.${node}`, heartbeat);
  }

  #tick(): void {
    const now = this.#now();
    // Timers come before what has been received while main was blocked.
    if (now - this.#tickedAt > this.#options.downAfterMs / 2)
      detectorStep(this.#detector, { type: "stood_still" }, now);
    this.#tickedAt = now;
    for (const peer of this.#peers.values()) {
      peer.step({ type: "tick" });
      if (peer.hasBeenFull(now)) this.#listener.linkFull(peer.node);
      if (peer.isUp) this.#judge(peer, verdictOn(this.#detector, peer.node, now), now);
    }
    this.#cutAway(now);
    this.#lookForGone();
  }

  #cutAway(now: number): void {
    for (const peer of toForget(this.#peers.values(), now, this.#options.maxReferences)) this.#forget(peer);
    this.#cutAt = this.#peers.size + MOST_AWAY;
  }

  /** Messages to what it had are refused from now on as to what is gone. */
  #forget(peer: Peer): void {
    const { node, damaged, link } = peer;
    peer.dispose();
    this.#peers.delete(node);
    this.#heartbeats.delete(node);
    this.#suspects.delete(node);
    detectorStep(this.#detector, { type: "forget", node }, this.#now());
    this.#past.damaged += damaged + link.dropped;
    this.#past.resent += link.resent;
    // The node may know these epochs still.
    this.#firstEpoch = Math.max(this.#firstEpoch, link.epoch);
  }

  /** Actors whose references have left, and that are gone for good: the others need keep nothing for them. */
  #lookForGone(): void {
    for (let looked = 0; looked < LOOKED_FOR_AT_ONCE; looked++) {
      const { done, value: uid } = this.#lookedFor.next();
      if (done === true) {
        this.#lookedFor = this.#exported.values();
        return;
      }
      if (this.#reachable(uid, undefined) === undefined) for (const peer of this.#peers.values()) peer.gone(uid);
    }
  }

  #judge(peer: Peer, verdict: Verdict, now: number): void {
    const { node } = peer;
    if (verdict === "gone" || verdict === "silent") return peer.step({ type: "end", why: verdict });
    const heardAt = this.#detector.heard.get(node)?.at ?? now;
    if (now - heardAt > 1.5 * this.#options.heartbeatMs && this.#engine.connected) this.#probe(node);
    if (verdict !== "suspect" || this.#suspects.has(node)) return;
    this.#suspects.add(node);
    this.#listener.nodeSuspect(node);
  }

  #probe(node: string): void {
    const { cluster, node: self } = this.#options;
    void this.#engine.probe(`motp.${cluster}.l.${node}.${self}`).then((outcome) => {
      if (outcome === "unanswered") detectorStep(this.#detector, { type: "unanswered", node }, this.#now());
    });
  }

  #linkDown(peer: Peer, why: LinkEnd, wasUp: boolean): void {
    const { node } = peer;
    if (wasUp) this.#up--;
    // A session that was lost is begun again by the next heartbeat, which shows that the node is there.
    if (why !== "reset" && why !== "restarted") {
      detectorStep(this.#detector, { type: "forget", node }, this.#now());
      this.#heartbeats.delete(node);
    }
    this.#suspects.delete(node);
    this.#listener.nodeDown(node, why);
  }

  #status(connected: boolean): void {
    detectorStep(this.#detector, { type: "engine", up: connected }, this.#now());
    for (const peer of this.#peers.values()) peer.step({ type: "engine", up: connected });
    if (connected) this.#beat();
    this.#listener.engine(connected);
  }

  #groupChanged(peer: Peer, { format, payload }: WireRecord): void {
    const value = this.#codec.decodeValue({ ...EMPTY, bytes: payload, length: payload.length, format });
    const [group, ...changes] = value as [string, ...(readonly unknown[])[]];
    if (typeof group !== "string" || changes.length !== 2 || !changes.every(Array.isArray)) throw notAGroup();
    // A node's own members only.
    const [joined, left] = changes.map((wires) =>
      (wires as unknown[][])
        .map(fromWire)
        .filter(({ node }) => node === peer.node)
        .map((global) => ({ key: `${global.incarnation}/${global.uid}/${global.keyHash ?? ""}`, global })),
    );
    const refs = joined.map(({ key, global }) => ({ key, ref: this.refTo(global) }));
    const keys = left.map(({ key }) => key);
    if (!this.#listener.groupChanged(peer.node, group, refs, keys)) throw notAGroup();
  }

  #now(): number {
    return performance.now();
  }
}

/** What a node with these options takes of others, and says in its greetings. */
export function limitsOf({ maxMessageBytes, window }: Pick<GatewayOptions, "maxMessageBytes" | "window">): Limits {
  return { messageBytes: maxMessageBytes, windowMessages: window.messages, windowBytes: window.bytes };
}

const EMPTY = { words: new Int32Array(0), shared: undefined, own: false };
const UNHEARD: Heartbeat = { incarnation: "", startedAt: 0, version: "", labels: {}, leaving: false, lagMs: 0 };

function notAGroup(): TypeError {
  return new TypeError("malformed message: not a group, or one of too many");
}

function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf(".") + 1);
}
