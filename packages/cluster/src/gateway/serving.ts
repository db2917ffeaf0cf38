import type { Down, ExitReason } from "@mini-otp/runtime";
import type { Guests } from "@mini-otp/runtime/guests";
import { EncodedReply } from "@mini-otp/worker-host/protocol/calls";
import { exitReasonOf, isActorError, NOPROC } from "@mini-otp/worker-host/protocol/errors";
import { type ActorRef, noproc } from "@mini-otp/worker-host/protocol/refs";
import { isWithoutReferences } from "@mini-otp/worker-host/protocol/ring";
import type { Codec } from "@mini-otp/worker-host/protocol/values";
import { CALL, CAST, CREDIT, DOWN, FAILURE, LINK, REPLY, record, SEND, UNLINK, type WireRecord } from "./records.js";
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
const EMPTY = record(REPLY);

interface Lane {
  readonly target: number;
  readonly keyHash: number | undefined;
  readonly queue: WireRecord[];
  busy: boolean;
  /** Not told to the sender yet. */
  messages: number;
  bytes: number;
}

/** Told in these portions: a window is no smaller than four of them. */
const CREDIT_MESSAGES = 32;
const CREDIT_BYTES = 16 * 1024;
/** A peer that keeps to its window has no more of them here. */
export const MAX_QUEUED = 4096;
/** While a call waits for room in its mailbox, what comes after it looks this often whether it has got in. */
const LOOK_EVERY_MS = 2;

/** What a peer asks of this node's actors: its messages in their order, one lane for each actor, and its signals. */
export class Serving {
  readonly #host: ServingHost;
  readonly #lanes = new Map<string, Lane>();
  readonly #calls = new Map<number, AbortController>();
  readonly #monitors = new Map<string, () => void>();
  #session = {};

  constructor(host: ServingHost) {
    this.#host = host;
  }

  take(message: WireRecord): void {
    if (message.target === NODE) {
      this.#control(message);
      return;
    }
    const key = keyOf(message);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      const { target, keyHash, payload } = message;
      // Nothing is kept for what is not here, whatever numbers a peer makes up.
      if (this.#host.reachable(target, keyHash) === undefined) {
        this.#refuse(message);
        this.#host.send(creditOf({ target, keyHash, messages: 1, bytes: payload.length }));
        return;
      }
      lane = { target, keyHash, queue: [], busy: false, messages: 0, bytes: 0 };
      this.#lanes.set(key, lane);
    }
    if (lane.queue.length >= MAX_QUEUED) {
      this.#refuse(message);
      return;
    }
    lane.queue.push(message);
    this.#pump(lane);
  }

  cancel(token: number): void {
    this.#calls.get(token)?.abort();
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
    if (ref === undefined) tell(NOPROC);
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

  #pump(lane: Lane): void {
    while (!lane.busy && lane.queue.length > 0) {
      const message = lane.queue.shift() as WireRecord;
      lane.busy = true;
      const done = (): void => {
        lane.busy = false;
        this.#credit(lane, message.payload.length);
      };
      if (this.#deliver(message, done)) done();
    }
  }

  /** True when it is in the mailbox, or will never be; else `later` is called. */
  #deliver(message: WireRecord, done: () => void): boolean {
    const { op, target, keyHash, method, token } = message;
    const { guests, codec } = this.#host;
    const ref = this.#host.reachable(target, keyHash);
    const later = (lane: Lane): void => {
      done();
      this.#pump(lane);
    };
    const lane = this.#lanes.get(keyOf(message)) as Lane;
    if (ref === undefined) {
      this.#refuse(message);
      return true;
    }
    if (op === CALL) {
      const accepted = this.#forwardCall(ref, message, () => later(lane));
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
    if (op === CALL) return this.#call(ref, message, args, () => later(lane));
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
    void this.#untilAccepted(ref, method, send).then(() => later(lane));
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

  #call(ref: ActorRef, { token, method }: WireRecord, args: unknown[], later: () => void): boolean {
    const { signal, settle, fail } = this.#open(ref, token);
    return this.#isAccepted(this.#host.guests.call(ref, method, args, signal, settle, fail), later);
  }

  #forwardCall(ref: ActorRef, { token, method, format, payload }: WireRecord, later: () => void): boolean | undefined {
    if (!isWithoutReferences(format)) return undefined;
    const { signal, settle, fail } = this.#open(ref, token);
    const waits = this.#host.guests.forwardCall(ref, method, { format, bytes: payload }, signal, settle, fail);
    if (waits === undefined) this.#calls.delete(token);
    return waits === undefined ? undefined : this.#isAccepted(waits, later);
  }

  #isAccepted(waits: () => boolean, later: () => void): boolean {
    if (!waits()) return true;
    const look = setInterval(() => {
      if (waits()) return;
      clearInterval(look);
      later();
    }, LOOK_EVERY_MS);
    return false;
  }

  /** A call that is to be answered. */
  #open(ref: { readonly id: string }, token: number) {
    const abort = new AbortController();
    const { codec, node } = this.#host;
    const session = this.#session;
    this.#calls.set(token, abort);
    const isOpen = (): boolean => session === this.#session && this.#calls.get(token) === abort;
    const settle = (value: unknown): void => {
      if (!isOpen()) return;
      this.#calls.delete(token);
      if (value instanceof EncodedReply) {
        this.#host.send({ ...EMPTY, op: REPLY, token, format: value.format, payload: value.bytes });
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
    return { signal: abort.signal, settle, fail };
  }

  #fail(token: number, error: unknown): void {
    if (this.#host.isUp) this.#host.send(record(FAILURE, { token, ...reasonToWire(this.#host.codec, error) }));
  }

  #credit(lane: Lane, bytes: number): void {
    lane.messages++;
    lane.bytes += bytes;
    if (lane.messages < CREDIT_MESSAGES && lane.bytes < CREDIT_BYTES) return;
    if (this.#host.isUp) this.#host.send(creditOf(lane));
    lane.messages = lane.bytes = 0;
  }
}

function creditOf({ target, keyHash, messages, bytes }: Omit<Lane, "queue" | "busy">): WireRecord {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, Math.min(bytes, 2 ** 32 - 1), true);
  return record(CREDIT, { target, keyHash, token: messages, payload });
}

/** Undefined for what is none. */
export function creditIn({ token, payload }: WireRecord): { messages: number; bytes: number } | undefined {
  if (payload.length !== 4) return undefined;
  const bytes = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0, true);
  return { messages: token, bytes };
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
