import type { Down, ExitReason } from "@mini-otp/runtime";
import type { Guests } from "@mini-otp/runtime/guests";
import { EncodedReply, Queue } from "@mini-otp/worker-host/protocol/calls";
import { exitReasonOf, isActorError, NOPROC } from "@mini-otp/worker-host/protocol/errors";
import { type ActorRef, noproc } from "@mini-otp/worker-host/protocol/refs";
import { isWithoutReferences } from "@mini-otp/worker-host/protocol/ring";
import type { Codec } from "@mini-otp/worker-host/protocol/values";
import { type Credited, Credits, creditOf } from "./credits.js";
import { CALL, CAST, DOWN, FAILURE, FORGET, LINK, REPLY, record, SEND, UNLINK, type WireRecord } from "./records.js";
import { argsFromWire, named, reasonToWire, valueFromWire, valueToWire } from "./values.js";

/** What serving a peer needs of its link, and of this node. */
export interface ServingHost {
  readonly node: string;
  readonly guests: Guests;
  readonly codec: Codec;
  readonly isUp: boolean;
  send(record: WireRecord): void;
  /** What the peer may mean by this number: what is here and whose reference has left. */
  reachable(uid: number, keyHash: number | undefined): ActorRef | undefined;
  monitor(ref: ActorRef, listener: (down: Down) => void): () => void;
  /** What the peer asks of this node itself. `signal` is aborted when it asks no more. */
  control(method: string, args: unknown[], signal: AbortSignal): Promise<unknown>;
  /** What stands here for the peer's actor of this reference; undefined when it is not the peer's. */
  proxyOf(ref: ActorRef): { link(op: "link" | "unlink", to: ActorRef): void } | undefined;
}

/** In the place of an actor's number: the node itself. */
export const NODE = 0;
const NOT_SENT: Abortable = { abort: () => {} };

interface Lane extends Credited {
  /** What has come while it is busy. */
  readonly queue: Queue<WireRecord>;
  busy: boolean;
}

/** What ends the handler's work for a call that is given up. */
interface Abortable {
  abort(): void;
}

/** A peer that keeps to its window has no more of them here. */
export const MAX_QUEUED = 4096;
/** Monitors of one peer: a node keeps no more references to the actors of another. */
const MAX_MONITORS = 1_000_000;

/** What a peer asks of this node's actors: its messages in their order, one lane for each actor, and its signals. */
export class Serving {
  readonly #host: ServingHost;
  /** By `keyOf`; of an actor by its number, which takes no text to make. */
  readonly #lanes = new Map<string | number, Lane>();
  readonly #calls = new Map<number, Abortable>();
  readonly #monitors = new Map<string, () => void>();
  readonly #credits: Credits;
  #session = {};

  constructor(host: ServingHost) {
    this.#host = host;
    this.#credits = new Credits((credit) => {
      if (host.isUp) host.send(credit);
    });
  }

  take(message: WireRecord): void {
    if (message.target === NODE) {
      this.#control(message);
      return;
    }
    const { target, keyHash, isRouted } = message;
    const ofKey = isRouted ? undefined : keyHash;
    const key = ofKey === undefined ? target : keyOf(message);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      // Nothing is kept for what is not here, whatever numbers a peer makes up.
      if (this.#host.reachable(target, keyHash) === undefined) {
        this.#refuse(message);
        this.#host.send(creditOf({ target, keyHash: ofKey, messages: 1, bytes: message.payload.length }));
        // Its reference may have outlived what was told of its end.
        if (this.#host.reachable(target, undefined) === undefined) this.#host.send(record(FORGET, { target }));
        return;
      }
      lane = { target, keyHash: ofKey, queue: new Queue(), busy: false, messages: 0, bytes: 0 };
      this.#lanes.set(key, lane);
    }
    if (!lane.busy) {
      this.#handle(lane, message);
    } else if (lane.queue.length >= MAX_QUEUED) {
      this.#refuse(message);
    } else {
      lane.queue.push(message);
    }
  }

  cancel(token: number): void {
    const call = this.#calls.get(token);
    this.#calls.delete(token);
    call?.abort();
  }

  watch(message: WireRecord): void {
    const { target, keyHash } = message;
    const { codec } = this.#host;
    const key = keyOf(message);
    const session = this.#session;
    const tell = (reason: unknown): void => {
      this.#monitors.delete(key);
      if (session !== this.#session || !this.#host.isUp) return;
      this.#host.send(record(DOWN, { target, keyHash, ...reasonToWire(codec, reason) }));
    };
    const ref = this.#host.reachable(target, keyHash);
    if (ref === undefined || this.#monitors.size >= MAX_MONITORS) tell(NOPROC);
    else if (!this.#monitors.has(key))
      this.#monitors.set(
        key,
        this.#host.monitor(ref, ({ reason }) => tell(reason)),
      );
  }

  /** The peer's actor is to be linked to one of this node's, or is not any more. */
  link({ op, target, keyHash, format, payload }: WireRecord): void {
    const partner = valueFromWire(this.#host.codec, { format, payload }) as ActorRef;
    const proxy = this.#host.proxyOf(partner);
    const ref = this.#host.reachable(target, keyHash);
    if (proxy === undefined || ref === undefined || (op !== LINK && op !== UNLINK)) return;
    proxy.link(op === LINK ? "link" : "unlink", ref);
  }

  /** An actor here is gone for good. */
  gone(target: number): void {
    const lane = this.#lanes.get(target);
    if (lane !== undefined && !lane.busy) this.#lanes.delete(target);
  }

  /** The session is over. What has come is handled all the same. */
  disconnected(): void {
    this.#session = {};
    for (const end of this.#monitors.values()) end();
    this.#monitors.clear();
    for (const call of [...this.#calls.values()]) call.abort();
    this.#calls.clear();
    for (const lane of this.#lanes.values()) lane.messages = lane.bytes = 0;
    for (const [key, { queue, busy }] of this.#lanes) if (queue.length === 0 && !busy) this.#lanes.delete(key);
  }

  #control(message: WireRecord): void {
    const { op, method, token, target, keyHash, payload } = message;
    const { codec } = this.#host;
    this.#host.send(creditOf({ target, keyHash, messages: 1, bytes: payload.length }));
    if (op !== CALL) return;
    const { signal, settle, fail } = this.#open({ id: "" }, token);
    void (async () => this.#host.control(method, argsFromWire(codec, message), signal))().then(settle, fail);
  }

  #handle(lane: Lane, message: WireRecord): void {
    lane.busy = true;
    if (!this.#deliver(lane, message)) return;
    lane.busy = false;
    this.#credits.taken(lane, message.payload.length);
    this.#idle(lane);
  }

  /** Keys are many, and a peer may make them up: a lane of one is kept only as long as it is busy. */
  #idle(lane: Lane): void {
    if (lane.keyHash !== undefined && !lane.busy && lane.queue.length === 0) this.#lanes.delete(keyOf(lane));
  }

  /** What the lane waited for is in the mailbox, or will never be. */
  #later(lane: Lane, message: WireRecord): void {
    lane.busy = false;
    this.#credits.taken(lane, message.payload.length);
    while (!lane.busy) {
      const next = lane.queue.shift();
      if (next === undefined) {
        this.#idle(lane);
        return;
      }
      this.#handle(lane, next);
    }
  }

  /** True when it is in the mailbox, or will never be; else `#later` is called. */
  #deliver(lane: Lane, message: WireRecord): boolean {
    const { op, target, keyHash, method, token } = message;
    const { guests, codec } = this.#host;
    const ref = this.#host.reachable(target, keyHash);
    if (ref === undefined) {
      this.#refuse(message);
      return true;
    }
    if (op === CALL) {
      const accepted = this.#forwardCall(lane, ref, message);
      if (accepted !== undefined) return accepted;
    } else if (op === CAST) {
      const outcome = guests.forwardCast(ref, method, { format: message.format, bytes: message.payload });
      if (outcome === "closed") guests.deadLetter(ref.id, method, "queued", NOPROC);
      if (outcome !== undefined) return true;
    }
    let args: unknown[];
    try {
      args = argsFromWire(codec, message);
    } catch (error) {
      if (op === CALL) this.#fail(token, error);
      else guests.deadLetter(ref.id, method, "unhandled");
      return true;
    }
    if (op === CALL) return this.#call(lane, ref, message, args);
    if (op === CAST) {
      try {
        const outcome = ref.tryCast(method, ...(args as []));
        if (outcome === "ok") return true;
        if (outcome === "closed") {
          guests.deadLetter(ref.id, method, "queued", NOPROC);
          return true;
        }
      } catch (error) {
        this.#lost(ref, method, error);
        return true;
      }
    }
    const send = (): Promise<void> => (op === SEND ? ref.send(args[0] as never) : ref.cast(method, ...(args as [])));
    void this.#untilAccepted(ref, method, send).then(() => this.#later(lane, message));
    return false;
  }

  #refuse({ op, target, method, token }: WireRecord): void {
    const id = `${this.#host.node}:${target}`;
    if (op === CALL) this.#fail(token, noproc({ id }, method));
    else this.#host.guests.deadLetter(id, method, "queued", NOPROC);
  }

  /** As long as its mailbox is full and its senders wait, so does what has come from far. */
  async #untilAccepted(ref: ActorRef, method: string, send: () => Promise<void>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (isActorError(error, "ERR_MAILBOX_FULL") && this.#host.guests.blocks(ref)) {
        await this.#untilAccepted(ref, method, send);
      } else {
        this.#lost(ref, method, error);
      }
    }
  }

  #lost(ref: ActorRef, method: string, error: unknown): void {
    const isFull = isActorError(error, "ERR_MAILBOX_FULL");
    const isClosed = isActorError(error, "ERR_NOPROC");
    this.#host.guests.deadLetter(ref.id, method, isFull ? "dropped" : isClosed ? "queued" : "unhandled");
  }

  #call(lane: Lane, ref: ActorRef, message: WireRecord, args: unknown[]): boolean {
    const { signal, settle, fail } = this.#open(ref, message.token);
    const waits = this.#host.guests.call(ref, message.method, args, signal, settle, fail);
    return !waits(() => this.#later(lane, message));
  }

  #forwardCall(lane: Lane, ref: ActorRef, message: WireRecord): boolean | undefined {
    const { token, method, format, payload } = message;
    if (!isWithoutReferences(format)) return undefined;
    const { settle, fail } = this.#answers(ref, token);
    const call = this.#host.guests.forwardCall(ref, method, { format, bytes: payload }, settle, fail);
    if (call === undefined) {
      this.#calls.delete(token);
      return undefined;
    }
    // It may have failed at once.
    if (this.#calls.has(token)) this.#calls.set(token, call);
    return !call.waits(() => this.#later(lane, message));
  }

  /** A call that is to be answered. */
  #open(ref: { readonly id: string }, token: number) {
    const abort = new AbortController();
    const { settle, fail } = this.#answers(ref, token);
    this.#calls.set(token, abort);
    return { signal: abort.signal, settle, fail };
  }

  /** Where the outcome of a call goes, unless its caller has given it up or the session is over. */
  #answers(ref: { readonly id: string }, token: number) {
    const { codec, node } = this.#host;
    const session = this.#session;
    this.#calls.set(token, NOT_SENT);
    const isOpen = (): boolean => session === this.#session && this.#calls.has(token);
    const settle = (value: unknown): void => {
      if (!isOpen()) return;
      this.#calls.delete(token);
      if (value instanceof EncodedReply) {
        const { format, bytes: payload } = value;
        this.#host.send(record(REPLY, { format, token, payload }));
        return;
      }
      try {
        this.#host.send(record(REPLY, { token, ...valueToWire(codec, value) }));
      } catch (uncloneable) {
        this.#fail(token, uncloneable);
      }
    };
    const fail = (error: unknown): void => {
      if (!isOpen()) return;
      this.#calls.delete(token);
      this.#fail(token, named(error, node, ref.id));
    };
    return { settle, fail };
  }

  #fail(token: number, error: unknown): void {
    if (this.#host.isUp) this.#host.send(record(FAILURE, { token, ...reasonToWire(this.#host.codec, error) }));
  }
}

/** The same for an actor, and for a router's member of one key. */
export function keyOf({ target, keyHash }: { readonly target: number; readonly keyHash: number | undefined }): string {
  return keyHash === undefined ? `${target}` : `${target}/${keyHash}`;
}

/** What a peer's EXIT says. Throws for what says nothing. */
export function exitIn(
  codec: Codec,
  { format, payload }: WireRecord,
): { from: ActorRef | null; reason: ExitReason | "kill" } {
  const [from, given] = valueFromWire(codec, { format, payload }) as [ActorRef | null, unknown];
  const reason = given === "kill" ? "kill" : exitReasonOf(given);
  if (reason === undefined) throw new TypeError("malformed message: no exit reason");
  return { from, reason };
}
