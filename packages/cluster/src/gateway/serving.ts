import type { Down, ExitReason } from "@mini-otp/runtime";
import type { Guests } from "@mini-otp/runtime/guests";
import { EncodedReply } from "@mini-otp/worker-host/protocol/calls";
import { ActorError, exitReasonOf, isActorError, NOPROC } from "@mini-otp/worker-host/protocol/errors";
import { type ActorRef, noproc } from "@mini-otp/worker-host/protocol/refs";
import { isWithoutReferences } from "@mini-otp/worker-host/protocol/ring";
import type { Codec } from "@mini-otp/worker-host/protocol/values";
import type { Limits } from "../link/hello.js";
import { Credits, creditOf } from "./credits.js";
import { keyOf, type Lane, Lanes } from "./lanes.js";
import { PeerLinks } from "./peer-links.js";
import { CALL, CAST, DOWN, FAILURE, FORGET, LINK, REPLY, record, SEND, UNLINK, type WireRecord } from "./records.js";
import { tooLarge } from "./too-large.js";
import { argsFromWire, named, reasonToWire, valueFromWire, valueToWire, type Wire } from "./values.js";

/** What serving a peer needs of its link, and of this node. */
export interface ServingHost {
  readonly node: string;
  readonly guests: Guests;
  readonly codec: Codec;
  /** What this node takes, and what goes between the two. */
  readonly takes: Limits;
  limits(): Limits;
  isUp(): boolean;
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

/** What ends the handler's work for a call that is given up. */
interface Abortable {
  abort(): void;
}

/** Monitors of one peer. */
const MAX_MONITORS = 131_072;
/** Questions to this node itself that are not answered yet, of one peer, and their bytes. */
const MAX_ASKED = 65_536;
const MAX_ASKED_BYTES = 256 * 1024 * 1024;

/**
 * What a peer asks of this node's actors: its messages in their order, one lane for each actor, and its signals. Over 350 lines,
 * because whatever it has asked for ends with the session, in one place.
 */
export class Serving {
  readonly #host: ServingHost;
  readonly #lanes: Lanes;
  readonly #calls = new Map<number, Abortable>();
  /** Are told when no call is open. */
  #waiting: (() => void)[] = [];
  readonly #monitors = new Map<string, () => void>();
  readonly #links = new PeerLinks(
    ({ partner, target, keyHash }) =>
      this.#host.proxyOf(partner) !== undefined && this.#host.reachable(target, keyHash) !== undefined,
  );
  readonly #credits: Credits;
  #session = {};
  #asked = 0;
  #askedBytes = 0;

  constructor(host: ServingHost) {
    this.#host = host;
    this.#lanes = new Lanes(host.takes);
    this.#credits = new Credits((credit) => {
      if (host.isUp()) host.send(credit);
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
      lane = this.#lanes.open(key, target, ofKey);
      if (lane === undefined) return this.#refuse(message, true);
    }
    if (!lane.busy) this.#handle(lane, message);
    else if (!this.#lanes.wait(lane, message)) this.#refuse(message, true);
  }

  /** Resolves when no call is open. What their answers are has been sent. */
  answered(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  #ended(token: number): void {
    this.#calls.delete(token);
    if (this.#calls.size === 0) this.#tellAnswered();
  }

  #tellAnswered(): void {
    // They go on in a microtask, when the answer that follows has been sent.
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  cancel(token: number): void {
    const call = this.#calls.get(token);
    this.#ended(token);
    call?.abort();
  }

  watch(message: WireRecord): void {
    const { target, keyHash } = message;
    const key = keyOf(message);
    const session = this.#session;
    const tell = (reason: unknown): void => {
      this.#monitors.delete(key);
      if (session !== this.#session || !this.#host.isUp()) return;
      this.#host.send(record(DOWN, { target, keyHash, ...this.#told(reason) }));
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
    const link = { partner, target, keyHash };
    if (op === UNLINK) this.#links.remove(link);
    else if (!this.#links.add(link, performance.now())) {
      // As a monitor that is refused: to the peer it has ended.
      this.#host.send(record(DOWN, { target, keyHash, ...this.#told(NOPROC) }));
      return;
    }
    proxy.link(op === LINK ? "link" : "unlink", ref);
  }

  /** An actor here is gone for good. */
  gone(target: number): void {
    const lane = this.#lanes.get(target);
    if (lane !== undefined && !lane.busy) this.#lanes.forget(lane);
  }

  /** The session is over. */
  disconnected(): void {
    this.#session = {};
    for (const end of this.#monitors.values()) end();
    this.#monitors.clear();
    this.#links.clear();
    for (const call of [...this.#calls.values()]) call.abort();
    this.#calls.clear();
    this.#tellAnswered();
    this.#lanes.disconnected();
  }

  #control(message: WireRecord): void {
    const { op, method, token, target, keyHash, payload } = message;
    const { codec } = this.#host;
    const { length } = payload;
    this.#host.send(creditOf({ target, keyHash, messages: 1, bytes: length }));
    if (op !== CALL) return;
    if (this.#asked >= MAX_ASKED || this.#askedBytes + length > MAX_ASKED_BYTES) {
      return this.#fail(token, full(`${this.#host.node}:`, method, "too much is asked of this node"));
    }
    this.#asked++;
    this.#askedBytes += length;
    const { signal, settle, fail } = this.#open({ id: "" }, token);
    const answered = (): void => {
      this.#asked--;
      this.#askedBytes -= length;
    };
    const asking = (async () => this.#host.control(method, argsFromWire(codec, message), signal))();
    void asking.finally(answered).then(settle, fail);
  }

  #handle(lane: Lane, message: WireRecord): void {
    lane.busy = true;
    if (!this.#tried(lane, message)) return;
    lane.busy = false;
    this.#credits.taken(lane, message.payload.length);
    this.#idle(lane);
  }

  /** Keys are many, and a peer may make them up: a lane of one is kept only as long as it is busy. */
  #idle(lane: Lane): void {
    if (lane.keyHash !== undefined && !lane.busy && lane.queue.length === 0) this.#lanes.forget(lane);
  }

  /** What the lane waited for is in the mailbox, or will never be. */
  #later(lane: Lane, message: WireRecord): void {
    lane.busy = false;
    this.#credits.taken(lane, message.payload.length);
    while (!lane.busy) {
      const next = this.#lanes.next(lane);
      if (next === undefined) {
        this.#idle(lane);
        return;
      }
      this.#handle(lane, next);
    }
  }

  /** What throws here must not hold up what comes after it. */
  #tried(lane: Lane, message: WireRecord): boolean {
    try {
      return this.#deliver(lane, message);
    } catch (error) {
      if (message.op === CALL) this.#fail(message.token, error);
      else this.#host.guests.deadLetter(`${this.#host.node}:${message.target}`, message.method, "unhandled");
      return true;
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

  #refuse({ op, target, method, token }: WireRecord, isFull = false): void {
    const id = `${this.#host.node}:${target}`;
    if (op !== CALL)
      this.#host.guests.deadLetter(id, method, isFull ? "dropped" : "queued", isFull ? undefined : NOPROC);
    else if (!isFull) this.#fail(token, noproc({ id }, method));
    else this.#fail(token, full(id, method, "more waits for it than the window has"));
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
      this.#ended(token);
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
      this.#ended(token);
      if (value instanceof EncodedReply) {
        const { format, bytes: payload } = value;
        this.#reply(ref.id, token, { format, payload });
        return;
      }
      try {
        this.#reply(ref.id, token, valueToWire(codec, value));
      } catch (uncloneable) {
        this.#fail(token, uncloneable);
      }
    };
    const fail = (error: unknown): void => {
      if (!isOpen()) return;
      this.#ended(token);
      this.#fail(token, named(error, node, ref.id));
    };
    return { settle, fail };
  }

  #reply(id: string, token: number, wire: Wire): void {
    const { length } = wire.payload;
    const limit = this.#host.limits().messageBytes;
    if (length > limit) this.#fail(token, tooLarge(`${this.#host.node}:${id}`, "", length, limit, "its reply"));
    else this.#host.send(record(REPLY, { token, ...wire }));
  }

  #fail(token: number, error: unknown): void {
    if (this.#host.isUp()) this.#host.send(record(FAILURE, { token, ...this.#told(error) }));
  }

  /** A reason that is too large for a message is told in few words. */
  #told(reason: unknown): Wire {
    const { codec, node } = this.#host;
    const wire = reasonToWire(codec, reason);
    const { length } = wire.payload;
    const limit = this.#host.limits().messageBytes;
    if (length <= limit) return wire;
    return reasonToWire(codec, tooLarge(`${node}:`, "", length, limit, "what it failed with"));
  }
}

function full(id: string, method: string, why: string): ActorError {
  return new ActorError("ERR_MAILBOX_FULL", `id=${id} method=${method}: ${why}`, { id, method });
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
