import { Queue } from "@mini-otp/worker-host/protocol/calls";
import type { Limits } from "../link/hello.js";
import type { Credited } from "./credits.js";
import { CALL, type WireRecord } from "./records.js";

/** The messages of a peer to one actor, or to a router's member for one key, in their order. */
export interface Lane extends Credited {
  /** What has come while it is busy, and its bytes. */
  queue: Queue<WireRecord>;
  queuedBytes: number;
  busy: boolean;
}

/** What came in the session before may wait here still, when the window of this one fills. */
const WINDOWS = 2;
/** What waits here of one peer in all; lanes of routers' keys, which a peer may make up, are as many as its messages. */
const MAX_QUEUED_BYTES = 256 * 1024 * 1024;
const MAX_KEYED_LANES = 16_384;

/** The lanes of one peer, and what waits in them: never more than a peer sends that keeps to its window. */
export class Lanes {
  /** By `keyOf`; of an actor by its number, which takes no text to make. */
  readonly #lanes = new Map<string | number, Lane>();
  readonly #takes: Limits;
  #queuedBytes = 0;
  #keyed = 0;

  constructor(takes: Limits) {
    this.#takes = takes;
  }

  get(key: string | number): Lane | undefined {
    return this.#lanes.get(key);
  }

  /** Undefined for one too many. */
  open(key: string | number, target: number, keyHash: number | undefined): Lane | undefined {
    if (keyHash !== undefined && this.#keyed >= MAX_KEYED_LANES) return undefined;
    const lane = {
      target,
      keyHash,
      queue: new Queue<WireRecord>(),
      queuedBytes: 0,
      busy: false,
      messages: 0,
      bytes: 0,
    };
    this.#lanes.set(key, lane);
    if (keyHash !== undefined) this.#keyed++;
    return lane;
  }

  /** False when more waits than the window has. */
  wait(lane: Lane, message: WireRecord): boolean {
    const { messageBytes, windowMessages, windowBytes } = this.#takes;
    const { length } = message.payload;
    const isFull =
      lane.queue.length >= WINDOWS * windowMessages ||
      lane.queuedBytes + length > WINDOWS * (windowBytes + messageBytes) ||
      this.#queuedBytes + length > MAX_QUEUED_BYTES;
    if (isFull) return false;
    lane.queuedBytes += length;
    this.#queuedBytes += length;
    // What came with it in one read of the socket is not kept with it.
    lane.queue.push({ ...message, payload: message.payload.slice() });
    return true;
  }

  next(lane: Lane): WireRecord | undefined {
    const next = lane.queue.shift();
    if (next !== undefined) this.#left(lane, next);
    return next;
  }

  forget(lane: Lane): void {
    const { target, keyHash } = lane;
    if (this.#lanes.delete(keyHash === undefined ? target : keyOf(lane)) && keyHash !== undefined) this.#keyed--;
  }

  /** The session is over. What has come is handled all the same, but calls: their callers have been told. */
  disconnected(): void {
    for (const lane of this.#lanes.values()) {
      lane.messages = lane.bytes = 0;
      // The number of a call says in the next session which of that it is.
      const waiting = [...lane.queue];
      lane.queue = new Queue();
      for (const message of waiting) {
        if (message.op === CALL) this.#left(lane, message);
        else lane.queue.push(message);
      }
      if (lane.queue.length === 0 && !lane.busy) this.forget(lane);
    }
  }

  #left(lane: Lane, { payload: { length } }: WireRecord): void {
    lane.queuedBytes -= length;
    this.#queuedBytes -= length;
  }
}

/** The same for an actor, and for a router's member of one key. */
export function keyOf({ target, keyHash }: { readonly target: number; readonly keyHash: number | undefined }): string {
  return keyHash === undefined ? `${target}` : `${target}/${keyHash}`;
}
