import { MessageChannel } from "node:worker_threads";
import type { ToActor } from "@mini-otp/worker-host/protocol/port";
import type { Transferable } from "@mini-otp/worker-host/protocol/refs";

/**
 * An actor's thread that takes a control message looks at all its channels, so it has no more than these. With further
 * threads it exchanges transferred objects by way of main.
 */
export const MAX_CHANNELS = 32;

/** One end of a channel. */
export interface ChannelEnd {
  /** Owner id of the thread that runs the actor, or main's; 0 for none. */
  readonly ownerId: number;
  /** Main's end: nothing comes by it, so main has as many as there are threads. */
  readonly onlySends?: true;
  post(message: ToActor, transfer?: readonly Transferable[]): void;
}

/** Gives two threads a channel of their own, once. Each end is the thread's, and ends with it. */
export class DirectChannels {
  readonly #peers = new Map<number, Set<number>>();

  provide(one: ChannelEnd | undefined, other: ChannelEnd | undefined): void {
    if (one === undefined || other === undefined || one === other) return;
    const { ownerId: first } = one;
    const { ownerId: second } = other;
    if (first === 0 || second === 0) return;
    const ofFirst = this.#of(first);
    const ofSecond = this.#of(second);
    if (ofFirst.has(second) || isFull(one, ofFirst) || isFull(other, ofSecond)) return;
    this.#peers.set(first, ofFirst.add(second));
    this.#peers.set(second, ofSecond.add(first));
    const { port1, port2 } = new MessageChannel();
    one.post({ type: "direct_port", to: first, peer: second, port: port1 }, [port1]);
    other.post({ type: "direct_port", to: second, peer: first, port: port2 }, [port2]);
  }

  /** Node has closed its ends, and closes the others. */
  threadExited(ownerId: number): void {
    for (const peer of this.#of(ownerId)) {
      const peers = this.#of(peer);
      peers.delete(ownerId);
      if (peers.size === 0) this.#peers.delete(peer);
    }
    this.#peers.delete(ownerId);
  }

  /** How many threads have a channel. */
  get size(): number {
    return this.#peers.size;
  }

  #of(ownerId: number): Set<number> {
    return this.#peers.get(ownerId) ?? new Set();
  }
}

function isFull({ onlySends }: ChannelEnd, { size }: Set<number>): boolean {
  return onlySends !== true && size >= MAX_CHANNELS;
}
