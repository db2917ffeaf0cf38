import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { ConsumerState, type NameTable, OS_THREAD } from "@mini-otp/worker-host/protocol/memory";
import type { ToActor } from "@mini-otp/worker-host/protocol/port";
import type { Guard } from "../guard/guard.js";
import type { GuardedActor, GuardStats } from "../guard/watched.js";
import type { Zombies } from "../guard/zombies.js";
import type { Slot, Slots } from "../mailbox/slots.js";
import type { ActorThread } from "./actor-thread.js";
import type { SpareThreads } from "./spare-threads.js";

interface Incarnated extends GuardedActor {
  readonly incarnation: number;
  readonly slot: Slot;
}

interface Shared {
  readonly slots: Slots;
  readonly names: NameTable;
  /** One word: the number of actors' threads that do not sleep. */
  readonly awake: Int32Array;
}

/** The threads that run actors, from start to exit. Clears up in shared memory after each. */
export class ActorThreads<A extends Incarnated> {
  readonly #shared: Shared;
  readonly #guard: Guard;
  readonly #zombies: Zombies;
  readonly spares: SpareThreads;
  /** Threads of upgrades that do not run an actor yet. */
  readonly preparing = new Set<ActorThread>();
  readonly #threads = new Map<ActorThread, A>();
  readonly #starting = new Map<ActorThread, A>();
  readonly #lastStats = new WeakMap<A, GuardStats | undefined>();

  constructor(shared: Shared, guard: Guard, zombies: Zombies, spares: SpareThreads) {
    this.#shared = shared;
    this.spares = spares;
    this.#guard = guard;
    this.#zombies = zombies;
  }

  get count(): number {
    return this.#threads.size;
  }

  has(ownerId: number): boolean {
    return [...this.#threads.keys()].some((thread) => thread.ownerId === ownerId);
  }

  /** Posts to every thread that runs an actor or may come to run one. */
  post(message: ToActor): void {
    for (const thread of [...this.#threads.keys(), ...this.spares.threads, ...this.preparing]) thread.post(message);
  }

  /** What the guard knew of the actor's thread when it exited. */
  lastStats(actor: A): GuardStats | undefined {
    return this.#lastStats.get(actor);
  }

  /** Handles the messages that all threads have posted so far. */
  takeMessages(): void {
    for (const thread of this.#threads.keys()) thread.takeMessages();
  }

  /** Handles the messages of threads that are starting. True when one of their actors has started. */
  takeStarts(): boolean {
    let started = false;
    for (const [thread, actor] of this.#starting) {
      thread.takeMessages();
      if (actor.running) started = this.#starting.delete(thread);
    }
    return started;
  }

  started(thread: ActorThread, actor: A): void {
    this.preparing.delete(thread);
    this.#starting.set(thread, actor);
    this.#threads.set(thread, actor);
    this.#guard.guard(thread, actor, actor.slot.memory.words);
  }

  /** Frees the locks that the thread held. `slot` is the slot it consumed. */
  exited(thread: ActorThread, actor: A, slot: Slot): void {
    const { slots, names, awake } = this.#shared;
    this.#starting.delete(thread);
    this.#threads.delete(thread);
    const stats = this.#guard.stats(thread);
    this.#lastStats.set(actor, stats && { ...stats, ...thread.process?.read() });
    this.#guard.forget(thread);
    const consumer = new ConsumerState(slot.memory.words);
    consumer.uncount(awake);
    consumer.consumedByNone();
    names.repair(thread.ownerId);
    slots.repair(slot, thread.ownerId);
    this.#zombies.exited(thread);
  }

  /** The thread has survived its kill. */
  abandoned(thread: ActorThread, actor: A, reason: ExitReason): void {
    this.#starting.delete(thread);
    this.#guard.forget(thread);
    this.#zombies.add(thread, actor.slot.memory.words[OS_THREAD], actor, reason);
  }
}
