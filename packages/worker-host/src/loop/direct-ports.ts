import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { announce, sleep } from "../protocol/memory/doorbell.js";
import type { DirectParcel, Parcel, ToActor } from "../protocol/port/messages.js";

/** A sender has pushed the placeholder, or is about to, and posts the parcel next; but its core may be taken from it. */
const UNDER_WAY_MS = 20;
const LOOK_EVERY_MS = 0.2;

/**
 * This thread's channels to other actors' threads, for what transfers objects: replies, and the parcels of messages that
 * reach a thread at rest. Main makes one when the first such reply has gone over main. A channel belongs to two threads,
 * not to two actors: it ends with either of them.
 */
export class DirectPorts {
  /** This thread's. */
  readonly ownerId: number;
  readonly #ports = new Map<number, MessagePort>();
  readonly #accept: (message: ToActor) => void;
  readonly #arrived: () => void;
  /** Parcels that came before their placeholder's turn. */
  readonly #parcels: DirectParcel[] = [];
  /** How many offers senders have taken, less the parcels that have come. An offer that still stands is not counted. */
  #underWay = 0;
  readonly #underWayMs: number;
  #awaited: Omit<DirectParcel, "parcel"> | undefined;

  /**
   * `accept` takes each message; `arrived` is called after those that the event loop has delivered. `underWayMs` is how
   * long the thread's end waits for a parcel.
   */
  constructor(
    ownerId: number,
    accept: (message: ToActor) => void,
    arrived: () => void,
    underWayMs: number = UNDER_WAY_MS,
  ) {
    this.#underWayMs = underWayMs;
    this.ownerId = ownerId;
    this.#accept = accept;
    this.#arrived = arrived;
  }

  get size(): number {
    return this.#ports.size;
  }

  /** `peer` is the owner id of the other thread. */
  add(peer: number, port: MessagePort): void {
    this.#ports.get(peer)?.close();
    this.#ports.set(peer, port);
    port.on("message", (message: ToActor) => {
      this.#take(message);
      this.#arrived();
    });
    port.on("close", () => {
      if (this.#ports.get(peer) !== port) return;
      this.#ports.delete(peer);
      if (this.#awaited?.owner === peer) {
        this.#deliver(null);
        this.#arrived();
      }
    });
    // The port to main keeps the thread alive. Open ones would also count as work of the actor's own.
    port.unref();
  }

  to(peer: number): MessagePort | undefined {
    return this.#ports.get(peer);
  }

  /** Takes the messages that have arrived, without a turn of the event loop. */
  poll(): void {
    for (const port of this.#ports.values()) {
      for (;;) {
        const received = receiveMessageOnPort(port) as { message: ToActor } | undefined;
        if (received === undefined) break;
        this.#take(received.message);
      }
    }
  }

  /** The parcel of a placeholder, if it has come; `null` when its objects are gone. */
  takeParcel(owner: number, number: number): Parcel | null | undefined {
    this.poll();
    const at = this.#parcels.findIndex((parcel) => parcel.owner === owner && parcel.number === number);
    return at < 0 ? undefined : this.#parcels.splice(at, 1)[0].parcel;
  }

  /** The parcel will come as a message "parcel"; as `null` when its sender's thread ends before it posts it. */
  awaitParcel(owner: number, number: number): void {
    this.#awaited = { owner, number };
  }

  /** A sender has taken this thread's offer, so its parcel is under way or has come. */
  expectParcel(): void {
    this.#underWay++;
  }

  /**
   * The thread ends: takes the parcels that its actor has not got, also one that is under way. Waits for that a little,
   * because a port loses what comes after the end of its thread.
   */
  takeUnclaimed(): Parcel[] {
    this.#awaited = undefined;
    this.poll();
    const giveUpAt = performance.now() + this.#underWayMs;
    while (this.#underWay > 0 && performance.now() < giveUpAt) {
      sleep(bell, 0, LOOK_EVERY_MS);
      this.poll();
    }
    return this.#parcels.splice(0).flatMap(({ parcel }) => parcel ?? []);
  }

  #take(message: ToActor): void {
    if (message.type !== "direct_parcel") {
      this.#accept(message);
      return;
    }
    this.#underWay--;
    if (this.#awaited?.owner === message.owner && this.#awaited.number === message.number) {
      this.#deliver(message.parcel);
    } else this.#parcels.push(message);
  }

  #deliver(parcel: Parcel | null): void {
    this.#awaited = undefined;
    this.#accept({ type: "parcel", parcel });
  }
}

/** Nothing rings it: a sleep there takes its time. */
const bell = new Int32Array(new SharedArrayBuffer(4));
announce(bell, 0);
