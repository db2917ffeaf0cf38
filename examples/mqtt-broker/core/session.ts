import { type Delivery, hasExpired } from "./message.js";

/** What waits for a client that is away or slow, at most. Beyond it the oldest is dropped, and counted. */
export const MAX_WAITING = 4_096;
export const MAX_WAITING_BYTES = 1024 * 1024;
/** What a message takes beside its payload, about. */
const MESSAGE_BYTES = 200;
/** Sent with QoS 1 and not acknowledged, at most, when the client names no smaller number. */
export const MAX_IN_FLIGHT = 1_024;
const LAST_PACKET_ID = 65_535;

/** A session as it passes from one connection to the next, from thread to thread. */
export interface SessionState {
  readonly filters: readonly string[];
  /** Not acknowledged, in the order in which they were sent. */
  readonly inFlight: readonly (readonly [packetId: number, delivery: Delivery])[];
  readonly waiting: readonly Delivery[];
}

/** What a client has subscribed to, and what it is still to get. It may outlive the connection. */
export class Session {
  readonly filters = new Set<string>();
  readonly #inFlight = new Map<number, Delivery>();
  #waiting: Delivery[] = [];
  /** Where the waiting ones begin: what is before has been taken. */
  #head = 0;
  #waitingBytes = 0;
  #lastId = 0;
  dropped = 0;

  static from(state: SessionState): Session {
    const session = new Session();
    for (const filter of state.filters) session.filters.add(filter);
    for (const [packetId, delivery] of state.inFlight) {
      session.#inFlight.set(packetId, delivery);
      session.#lastId = packetId;
    }
    for (const delivery of state.waiting) session.enqueue(delivery);
    return session;
  }

  toState(): SessionState {
    return {
      filters: [...this.filters],
      inFlight: [...this.#inFlight],
      waiting: this.#waiting.slice(this.#head),
    };
  }

  get waiting(): number {
    return this.#waiting.length - this.#head;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  enqueue(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#waitingBytes += MESSAGE_BYTES + delivery.message.payload.byteLength;
    while (this.waiting > MAX_WAITING || (this.#waitingBytes > MAX_WAITING_BYTES && this.waiting > 1)) {
      this.#shift();
      this.dropped++;
    }
  }

  /** The next one that has not expired. */
  next(now: number): Delivery | undefined {
    for (;;) {
      if (this.waiting === 0) return undefined;
      const delivery = this.#shift();
      if (!hasExpired(delivery.message, now)) return delivery;
      this.dropped++;
    }
  }

  /** A packet id for a message that is sent with QoS 1, until it is acknowledged. */
  send(delivery: Delivery): number {
    do {
      this.#lastId = (this.#lastId % LAST_PACKET_ID) + 1;
    } while (this.#inFlight.has(this.#lastId));
    this.#inFlight.set(this.#lastId, delivery);
    return this.#lastId;
  }

  acknowledge(packetId: number): boolean {
    return this.#inFlight.delete(packetId);
  }

  /** What a client that is back gets again, with the ids it had. */
  unacknowledged(): IterableIterator<[number, Delivery]> {
    return this.#inFlight.entries();
  }

  #shift(): Delivery {
    const delivery = this.#waiting[this.#head];
    this.#waitingBytes -= MESSAGE_BYTES + delivery.message.payload.byteLength;
    this.#head++;
    if (this.#head >= 64 && this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return delivery;
  }
}
