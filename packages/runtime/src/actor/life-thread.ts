import type { InitData, ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import type { Transferable } from "@mini-otp/worker-host/protocol/refs";
import type { LogSource } from "../reporting/actor-logs.js";
import type { ActorThread } from "../threads/actor-thread.js";
import type { LivingActor } from "./living-actor.js";

export interface LifeThreadListener {
  onMessage(source: LogSource, message: ToMain): void;
  onExit(thread: ActorThread, source: LogSource, error: Error | undefined): void;
}

/** The thread that runs one incarnation, if there is one. An upgrade replaces it. */
export class LifeThread {
  readonly #actor: LivingActor;
  readonly #incarnation: number;
  readonly #listener: LifeThreadListener;
  #current: ActorThread | undefined;

  constructor(actor: LivingActor, incarnation: number, listener: LifeThreadListener) {
    this.#actor = actor;
    this.#incarnation = incarnation;
    this.#listener = listener;
  }

  get current(): ActorThread | undefined {
    return this.#current;
  }

  /** The message that makes a thread this incarnation. */
  get initData(): InitData {
    return this.#actor.threads.initData(this.#actor.place.slot, this.#incarnation);
  }

  /** Clears what the last thread left. Call it before another thread consumes the slot. */
  forgetFormer(): void {
    const { place, meter } = this.#actor;
    place.forgetThread();
    meter.threadStarts();
  }

  /** From now on this thread runs the incarnation. */
  use(thread: ActorThread): void {
    this.#current = thread;
    const source = this.logSource(thread);
    thread.listen({
      onMessage: (message) => this.#listener.onMessage(source, message),
      onExit: (error) => this.#listener.onExit(thread, source, error),
    });
  }

  /** The thread has exited, or is given up. */
  ended(): void {
    this.#current = undefined;
  }

  /** Does nothing when there is no thread. */
  post(message: ToActor, transfer?: readonly Transferable[]): void {
    this.#current?.post(message, this.#actor.place.words, transfer);
  }

  requestTraces(): void {
    for (const request of this.#actor.traces.requests) this.#current?.post(request);
  }

  /** A thread's log lines name it, because the actor may have another thread by the time main reads them. */
  logSource({ threadId }: ActorThread): LogSource {
    const { id, place } = this.#actor;
    return { id, incarnation: this.#incarnation, thread: threadId, words: place.words };
  }
}
