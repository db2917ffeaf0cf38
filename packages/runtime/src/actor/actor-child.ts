import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { STATE_CLOSED, STATE_OPEN } from "@mini-otp/worker-host/protocol/memory";
import type { ToActor } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef, Transferable } from "@mini-otp/worker-host/protocol/refs";
import { encodeForeign } from "@mini-otp/worker-host/protocol/values";
import type { GuardReading } from "../guard/guard.js";
import { ActorTotals } from "../introspection/actor-totals.js";
import { ActorTraces } from "../introspection/actor-traces.js";
import type { Introspection } from "../introspection/introspection.js";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import { moduleName } from "../threads/actor-module.js";
import { ThreadSource } from "../threads/thread-source.js";
import type { ActorHost } from "./actor-host.js";
import { ActorLife } from "./actor-life.js";
import { ActorPlace } from "./actor-place.js";

/** An actor as its supervisor sees it: a mailbox with its messages, whose incarnations come and go. */
export class ActorChild implements Child<ActorRef> {
  readonly type = "worker";
  readonly ref: ActorRef;
  readonly id: string;
  readonly spec: FullActorSpec;
  /** The actor's type, by which metrics are summed: the name of its module. */
  readonly kind: string;
  readonly totals: ActorTotals;
  readonly place: ActorPlace;
  readonly threads: ThreadSource;
  /** Over restarts. */
  readonly traces = new ActorTraces((message) => this.post(message));
  readonly #host: ActorHost<ActorChild>;
  readonly #onExit: OnExit;
  /** The latest; the one before the first start never begins. */
  #life: ActorLife<ActorChild>;
  #disposed = false;

  constructor(spec: FullActorSpec, id: string, ref: ActorRef, slot: Slot, host: ActorHost<ActorChild>, onExit: OnExit) {
    this.spec = spec;
    this.id = id;
    this.ref = ref;
    this.kind = moduleName(spec.actor);
    this.totals = new ActorTotals(host.threads.epochMs);
    this.place = new ActorPlace(slot, host.threads);
    this.threads = new ThreadSource(host.threads, id, spec);
    this.#host = host;
    this.#onExit = onExit;
    this.#life = new ActorLife(0, this, host, onExit);
  }

  /** Another one after a thread that survived its kill. */
  get slot(): Slot {
    return this.place.slot;
  }

  get mailbox(): Mailbox {
    return this.place.mailbox;
  }

  get incarnation(): number {
    return this.#life.incarnation;
  }

  get running(): boolean {
    return this.#life.running;
  }

  get threadId(): number | undefined {
    return this.#life.thread?.threadId;
  }

  /** Between a `suspend` and its `resume`. The next incarnation is not. */
  get suspended(): boolean {
    return this.running && this.introspection.suspended;
  }

  get introspection(): Introspection {
    return this.#life.introspection;
  }

  /** What the guard knows of the thread that runs. */
  get guardReading(): GuardReading | undefined {
    const { thread } = this.#life;
    return thread === undefined ? undefined : this.#host.threads.guard.reading(thread);
  }

  /** Refuses new messages while it runs on. True once it has handled all that it had accepted. */
  get drained(): boolean {
    if (this.mailbox.state === STATE_OPEN) this.mailbox.drain();
    return this.mailbox.isEmpty;
  }

  get queued(): number {
    return this.mailbox.counts().length;
  }

  /** Takes in what has been counted in shared memory. */
  readTotals(): void {
    const { words } = this.place;
    this.totals.read(this.mailbox, words);
    const { thread } = this.#life;
    if (thread !== undefined) this.totals.time(thread, words);
  }

  start(incarnation: number): Promise<StartOutcome<ActorRef>> {
    this.#life = new ActorLife(incarnation, this, this.#host, this.#onExit);
    return this.#life.start();
  }

  /** Ends the thread for this reason, which no handler can delay. The supervisor sees an exit of its own accord. */
  kill(reason: ExitReason): void {
    this.#life.end(reason);
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    return this.#life.stop(request);
  }

  park(reason: ExitReason): void {
    this.#host.names.release(this, this.spec.name);
    this.#close(reason);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.traces.close();
    this.#host.names.release(this, this.spec.name);
    this.#close(this.#life.reason, () => {
      try {
        this.#host.names.gone(this);
      } finally {
        this.place.release();
      }
    });
    this.#host.names.disposed(this);
    this.#host.mail.forget(this);
    this.#host.threads.logs.forget(this.id);
  }

  /** Tells the running thread; does nothing when there is none. */
  post(message: ToActor, transfer?: readonly Transferable[]): void {
    this.#life.post(message, transfer);
  }

  /** Delivers a message to `info`, past the mailbox. */
  info(message: unknown): void {
    this.post({ type: "info", message: encodeForeign(this.#host.mail.outbox.codec, [message]) });
  }

  /** Other code for this incarnation and the next ones; see `ActorLife.upgrade`. */
  upgrade(module: URL | string, timeoutMs = this.spec.startTimeoutMs): Promise<void> {
    return this.#life.upgrade(module, timeoutMs);
  }

  /** Nothing is accepted any more; what waits becomes dead letters, and its callers learn why. */
  #close(reason: ExitReason, then = (): void => {}): void {
    this.mailbox.close();
    this.#whenSettled(() => {
      // It may have been opened again by a restart meanwhile.
      if (this.mailbox.state !== STATE_CLOSED || this.#life.thread !== undefined) return;
      const undelivered = this.mailbox.takeAll(this.#host.mail.producer);
      this.totals.lost.closed += undelivered.length;
      if (undelivered.length > 0) this.#host.mail.undelivered(this.id, undelivered, reason);
      this.#host.mail.notifyCallers(this.slot, reason, this.mailbox.nextSeq, true);
      then();
    });
  }

  /** Runs `then` once no producer is inside the mailbox; at once when none is. */
  #whenSettled(then: () => void): void {
    if (this.mailbox.settled) then();
    else setImmediate(() => this.#whenSettled(then));
  }
}
