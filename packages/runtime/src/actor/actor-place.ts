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

/** Where an actor's threads live, one after another: a slot, and the mailbox in it. Both outlive each of them. */
export class ActorPlace {
  readonly #host: PlaceHost;
  #slot: Slot;
  #mailbox: Mailbox;
  /** Threads that survived their kill, and the slot each may still write to. */
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

  /** The thread ignores its kill. It may still write to its slot, so that is not given to anyone else before it ends. */
  abandon(thread: ActorThread): void {
    this.#zombies.set(thread, this.#slot);
  }

  /** The slot of a thread that was abandoned. */
  abandonedSlotOf(thread: ActorThread): Slot | undefined {
    return this.#zombies.get(thread);
  }

  /** A thread that was abandoned has ended after all. */
  zombieExited(thread: ActorThread): void {
    this.#zombies.delete(thread);
    if (this.#released) this.release();
  }

  /** Before a start: the next thread must not share a slot with one that may still write there. */
  relocateIfShared(): void {
    if (![...this.#zombies.values()].includes(this.#slot)) return;
    this.#formerSlots.push(this.#slot);
    this.#slot = this.#host.relocate(this.#slot);
    this.#mailbox = mailboxIn(this.words);
  }

  /** Before another thread consumes the slot. */
  forgetThread(): void {
    new ConsumerState(this.words).forgetThread();
  }

  /** Gives all of it back: now, or when the last thread has ended that may write to it. */
  release(): void {
    this.#released = true;
    if (this.#zombies.size > 0) return;
    for (const slot of [this.#slot, ...this.#formerSlots]) {
      this.#host.outbox.disconnect(slot.address);
      this.#host.slots.release(slot);
    }
  }
}
