import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { ConsumerState, type NameTable } from "@mini-otp/worker-host/protocol/memory";
import type { Guard, GuardedActor, GuardReading } from "../guard/guard.js";
import type { Zombies } from "../guard/zombies.js";
import type { Slot, Slots } from "../mailbox/slots.js";
import type { ActorThread } from "./actor-thread.js";

interface Incarnated extends GuardedActor {
  readonly incarnation: number;
  readonly slot: Slot;
}

interface Shared {
  readonly slots: Slots;
  readonly names: NameTable;
  /** One word: how many actors' threads do not sleep. */
  readonly awake: Int32Array;
}

/** The threads that are an actor's incarnation, from start to exit, and what each leaves behind in shared memory. */
export class ActorThreads<A extends Incarnated> {
  readonly #shared: Shared;
  readonly #guard: Guard;
  readonly #zombies: Zombies;
  readonly #threads = new Map<ActorThread, A>();
  readonly #starting = new Map<ActorThread, A>();
  readonly #lastReadings = new WeakMap<A, GuardReading | undefined>();

  constructor(shared: Shared, guard: Guard, zombies: Zombies) {
    this.#shared = shared;
    this.#guard = guard;
    this.#zombies = zombies;
  }

  get all(): IterableIterator<ActorThread> {
    return this.#threads.keys();
  }

  get count(): number {
    return this.#threads.size;
  }

  has(ownerId: number): boolean {
    return [...this.all].some((thread) => thread.ownerId === ownerId);
  }

  /** What the guard knew of the actor's thread when it exited. */
  lastReading(actor: A): GuardReading | undefined {
    return this.#lastReadings.get(actor);
  }

  /** Takes in what all threads have said so far. */
  takeMessages(): void {
    for (const thread of this.all) thread.takeMessages();
  }

  /** Takes in which actors have started by now. */
  takeStarts(): boolean {
    let started = false;
    for (const [thread, actor] of this.#starting) {
      thread.takeMessages();
      if (actor.running) started = this.#starting.delete(thread);
    }
    return started;
  }

  started(thread: ActorThread, actor: A): void {
    this.#starting.set(thread, actor);
    this.#threads.set(thread, actor);
    this.#guard.guard(thread, actor, actor.slot.memory.words);
  }

  /** Frees what it held. `slot` is the one it consumed. */
  exited(thread: ActorThread, actor: A, slot: Slot): void {
    const { slots, names, awake } = this.#shared;
    this.#starting.delete(thread);
    this.#threads.delete(thread);
    this.#lastReadings.set(actor, this.#guard.reading(thread));
    this.#guard.forget(thread);
    new ConsumerState(slot.memory.words).uncount(awake);
    names.repair(thread.ownerId);
    slots.repair(slot, thread.ownerId);
    this.#zombies.exited(thread);
  }

  /** It has survived its kill. */
  abandoned(thread: ActorThread, actor: A, reason: ExitReason): void {
    this.#starting.delete(thread);
    this.#guard.forget(thread);
    this.#zombies.add(thread, actor, reason);
  }
}
