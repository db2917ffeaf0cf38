import { ConsumerState } from "@mini-otp/worker-host/protocol/memory";
import { mailboxIn } from "../mailbox/dropping-mailbox.js";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { ActorThread } from "../threads/actor-thread.js";

interface PlaceHost {
  readonly slots: { release(slot: Slot): void };
  readonly outbox: { disconnect(address: number): void };
  relocate(slot: Slot): Slot;
}

/** An actor's slot and the mailbox in it. Its threads consume it one after another, and it outlives each of them. */
export class ActorPlace {
  readonly #host: PlaceHost;
  #slot: Slot;
  #mailbox: Mailbox;
  /** Threads that survived their kill, and the slot that each may still write to. */
  readonly #zombies = new Map<ActorThread, Slot>();
  readonly #formerSlots: Slot[] = [];
  #released = false;

  constructor(slot: Slot, host: PlaceHost) {
    this.#host = host;
    this.#slot = slot;
    this.#mailbox = mailboxIn(slot.memory.words);
  }

  get slot(): Slot {
    return this.#slot;
  }

  get mailbox(): Mailbox {
    return this.#mailbox;
  }

  get words(): Int32Array {
    return this.#slot.memory.words;
  }

  /** The thread has survived its kill. No other actor gets its slot before it ends, because it may still write there. */
  abandon(thread: ActorThread): void {
    this.#zombies.set(thread, this.#slot);
  }

  /** The slot that an abandoned thread may still write to; undefined for any other thread. */
  abandonedSlotOf(thread: ActorThread): Slot | undefined {
    return this.#zombies.get(thread);
  }

  /** An abandoned thread has ended after all. */
  zombieExited(thread: ActorThread): void {
    this.#zombies.delete(thread);
    if (this.#released) this.release();
  }

  /** Moves to a fresh slot if an abandoned thread may still write to this one. Call it before a thread starts. */
  relocateIfShared(): void {
    if (![...this.#zombies.values()].includes(this.#slot)) return;
    this.#formerSlots.push(this.#slot);
    this.#slot = this.#host.relocate(this.#slot);
    this.#mailbox = mailboxIn(this.words);
  }

  /** Clears the last thread's words. Call it before another thread consumes the slot. */
  forgetThread(): void {
    new ConsumerState(this.words).forgetThread();
  }

  /** No sender posts to the thread any more, because it is about to be ended. */
  withdrawOffer(): void {
    new ConsumerState(this.words).withdrawOffer();
  }

  /** Gives the actor's slots back: now, or when the last abandoned thread has ended. */
  release(): void {
    this.#released = true;
    if (this.#zombies.size > 0) return;
    for (const slot of [this.#slot, ...this.#formerSlots]) {
      this.#host.outbox.disconnect(slot.address);
      this.#host.slots.release(slot);
    }
  }
}
