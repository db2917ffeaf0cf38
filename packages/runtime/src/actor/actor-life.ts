import { ActorError, type ExitReason, KILLED, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { ConsumerState } from "@mini-otp/worker-host/protocol/memory";
import type { InitData, ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef, Transferable } from "@mini-otp/worker-host/protocol/refs";
import { decodeForeign, decodeReason, encodeForeign } from "@mini-otp/worker-host/protocol/values";
import { Introspection } from "../introspection/introspection.js";
import type { Undelivered } from "../mailbox/mailbox.js";
import type { LogSource } from "../reporting/actor-logs.js";
import type { OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import { explainNotFound } from "../supervision/module-url.js";
import type { ActorThread, ThreadListener } from "../threads/actor-thread.js";
import type { ActorHost } from "./actor-host.js";
import { exitCause } from "./exit-cause.js";
import type { LivingActor } from "./living-actor.js";
import { Starting } from "./starting.js";
import { EXITING_MS, Stopping, ZOMBIE_MS } from "./stopping.js";
import { serve } from "./thread-requests.js";
import { Upgrade } from "./upgrade.js";

/** What callers learn whose reply was deferred, and is lost with the thread that owed it. */
const UPGRADED: ExitReason = Object.freeze({ kind: "shutdown", detail: "upgraded" });

/**
 * One incarnation of an actor, from its start to its exit: one thread, and after an upgrade another. When it has
 * exited, in this order: its locks are freed, the message in flight is decided on, the supervisor is told, then callers.
 */
export class ActorLife<A extends LivingActor> {
  readonly incarnation: number;
  readonly introspection: Introspection;
  readonly #actor: A;
  readonly #host: ActorHost<A>;
  readonly #onExit: OnExit;
  #thread: ActorThread | undefined;
  #running = false;
  #starting: Starting | undefined;
  #stopping: Stopping | undefined;
  /** Why the runtime ended the thread, when it did. */
  #ordered: ExitReason | undefined;
  /** What the thread said before it left; then why it ended. */
  #reported: ExitReason | undefined;
  #upgrade: Upgrade | undefined;
  #zombieTimer: NodeJS.Timeout | undefined;

  constructor(incarnation: number, actor: A, host: ActorHost<A>, onExit: OnExit) {
    this.incarnation = incarnation;
    this.#actor = actor;
    this.#host = host;
    this.#onExit = onExit;
    this.introspection = new Introspection(actor.id, host.outbox.codec, this);
  }

  get thread(): ActorThread | undefined {
    return this.#thread;
  }

  /** Once `init` is done. */
  get running(): boolean {
    return this.#running;
  }

  /** Why it ended, or is going to. */
  get reason(): ExitReason {
    return this.#reported ?? this.#ordered ?? SHUTDOWN;
  }

  start(): Promise<StartOutcome<ActorRef>> {
    const { place, spec } = this.#actor;
    const host = this.#host;
    place.leaveZombies();
    this.#forgetThread();
    try {
      host.claimName(this.#actor, spec.name);
    } catch (error) {
      return Promise.resolve({ kind: "failed", reason: { kind: "init_failed", error } });
    }
    place.mailbox.open();
    const starting = new Starting();
    this.#starting = starting;
    const spare = this.#actor.threads.takeSpare();
    if (spare !== undefined) this.#startThread(starting, spare);
    else starting.turn = host.startGate.enter(() => this.#startThread(starting, undefined));
    return starting.outcome;
  }

  /** Ends the thread for this reason, which no handler can delay. The supervisor sees an exit of its own accord. */
  end(reason: ExitReason): void {
    if (!this.#kill(reason)) this.#withdraw(reason);
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    const current = this.#stopping;
    if (current !== undefined) {
      current.limit(request);
      return current.outcome;
    }
    const stopping = new Stopping(request, this.#actor.place, this.#host.clock, {
      kill: () => this.#kill(KILLED),
      giveUp: () => this.#thread !== undefined && this.#giveUp(this.#thread),
    });
    this.#stopping = stopping;
    this.#withdraw(KILLED);
    this.#upgrade?.abort("the actor is stopping");
    if (this.#thread === undefined) {
      this.#stopped(this.reason, false);
    } else if (this.#starting !== undefined) {
      stopping.giveUpStart();
    } else if (request.shutdown === "brutal_kill") {
      stopping.kill();
    } else {
      // A bystander's mailbox is kept for its next incarnation, so it is neither closed nor drained.
      if (!request.restarting) this.#actor.place.mailbox.drain();
      const reason = encodeForeign(this.#host.outbox.codec, request.reason);
      this.post({ type: "stop", reason, drain: !request.restarting });
      stopping.limit(request);
    }
    return stopping.outcome;
  }

  /** Tells the thread; does nothing when there is none. */
  post(message: ToActor, transfer?: readonly Transferable[]): void {
    if (this.#upgrade?.isSwapping === true) this.#upgrade.hold(message, transfer);
    else this.#thread?.post(message, this.#actor.place.words, transfer);
  }

  /**
   * Loads this module in a second thread, and lets that take the actor over between two messages. Later restarts
   * use it too. Rejects when it did not come to that; the actor goes on as it was then.
   */
  async upgrade(module: URL | string, timeoutMs: number): Promise<void> {
    const { id, place } = this.#actor;
    const refused = this.#upgrade !== undefined ? "is being upgraded already" : "is not running";
    if (!this.#running || this.#stopping !== undefined || this.#upgrade !== undefined) {
      const code = this.#upgrade === undefined ? "ERR_NOPROC" : "ERR_RUNNING";
      throw new ActorError(code, `id=${id} upgrade: the actor ${refused}`, { id });
    }
    const upgrade = new Upgrade(this.#actor, this.#host.outbox.codec, module, timeoutMs, {
      initData: () => this.#initData(),
      postFormer: (message, transfer) => this.#thread?.post(message, place.words, transfer),
      committed: () => {
        this.#zombieTimer ??= setTimeout(() => this.#hurryOut(), ZOMBIE_MS);
      },
      onMessage: (message) => this.#onMessage(message),
    });
    this.#upgrade = upgrade;
    try {
      this.#host.upgraded(this.#actor, await upgrade.done);
    } finally {
      if (this.#upgrade === upgrade) this.#upgrade = undefined;
    }
  }

  #startThread(starting: Starting, spare: ActorThread | undefined): void {
    const afterMs = this.#actor.spec.startTimeoutMs;
    starting.threadStarts(afterMs, () => {
      // It may have said by now that it has started.
      this.#thread?.takeMessages();
      if (this.#starting === starting) this.#kill({ kind: "init_timeout", afterMs });
    });
    const listener: ThreadListener = {
      onMessage: (message) => this.#onThreadMessage(source, message),
      onExit: (error) => this.#onThreadExit(thread, source, error),
    };
    spare?.listen(listener);
    const thread = spare ?? this.#actor.threads.start(listener);
    this.#thread = thread;
    const source = this.#logSource(thread);
    this.#host.threadStarted(thread, this.#actor);
    this.#host.lifeStarted(this.#actor);
    thread.post(this.#initData());
    this.#requestTraces(thread);
  }

  /** Whose line it is, is known by the thread: the actor may have another by the time that it is read. */
  #logSource({ threadId }: ActorThread): LogSource {
    const { id, place } = this.#actor;
    return { id, incarnation: this.incarnation, thread: threadId, words: place.words };
  }

  #requestTraces(thread: ActorThread): void {
    for (const request of this.#actor.traces.requests) thread.post(request);
  }

  /** What a thread has left in its slot. */
  #forgetThread(): void {
    const { place, totals } = this.#actor;
    new ConsumerState(place.words).forgetThread();
    totals.threadStarts();
  }

  #initData(): InitData {
    return this.#actor.threads.initData(this.#actor.place.slot, this.incarnation);
  }

  #onThreadMessage(source: LogSource, message: ToMain): void {
    if (message.type === "log") this.#host.log(source, message);
    else this.#onMessage(message);
  }

  #onMessage(message: ToMain): void {
    const { codec } = this.#host.outbox;
    const actor = this.#actor;
    switch (message.type) {
      case "loaded":
        this.#starting?.turn?.leave();
        break;
      case "started":
        // It says so too late: it is being ended, and its start has failed.
        if (this.#ordered !== undefined) break;
        this.#running = true;
        this.#settleStart({ kind: "started", ref: actor.ref });
        if (this.incarnation > 1) actor.threads.provideSpare();
        this.#upgrade?.finished();
        break;
      case "ignored":
        if (this.#starting !== undefined) this.#starting.ignored = true;
        break;
      case "init_failed":
      case "module_failed": {
        const error = decodeForeign(codec, message.error);
        this.#reported = { kind: "init_failed", error: explainNotFound(error, actor.threads.module) };
        break;
      }
      case "exiting":
        this.#reported = decodeReason(codec, message.reason);
        this.#zombieTimer ??= setTimeout(() => this.#hurryOut(), EXITING_MS);
        break;
      case "handed_over":
        this.#upgrade?.handedOver(message.snapshot);
        break;
      case "hand_over_failed":
        this.#upgrade?.handOverFailed(message.error);
        break;
      case "returned":
        // Once the upgrade is over, to the thread that has the actor now.
        if (this.#upgrade?.isOpen === true) this.#upgrade.hold(message.message);
        else this.post(message.message);
        break;
      case "answer":
        this.introspection.answer(message.request, message.failed, message.value);
        break;
      case "heap_snapshot":
        this.introspection.snapshotTaken(message.request, message.chunks, message.failure);
        break;
      case "unseen_memory":
        if (this.#thread !== undefined) this.#host.guard.unseenMemory(this.#thread, message.bytes);
        break;
      case "unhandled":
        actor.totals.lost.unhandled++;
        this.#host.unhandled(actor.id, message.method, message.detail);
        break;
      case "traced":
        actor.traces.add(actor.id, this.incarnation, message);
        break;
      default:
        serve(this.#host, actor, message);
    }
  }

  #onThreadExit(thread: ActorThread, source: LogSource, error: Error | undefined): void {
    const host = this.#host;
    const { id, spec, place } = this.#actor;
    host.logs.ended(source);
    const left = place.leftTo(thread);
    if (left !== undefined) {
      host.threadExited(thread, this.#actor, left);
      place.zombieExited(thread);
      return;
    }
    if (this.#swaps(thread)) return;
    // What others asked for before they did what led to this exit, a monitor say, comes first.
    host.takeMessages();
    // What was in flight is decided on before the dead thread's locks are freed: producers may drop it then.
    const inFlight = place.mailbox.recover();
    host.threadExited(thread, this.#actor, place.slot);
    const starting = this.#starting !== undefined;
    const cause = exitCause(id, spec.heapCapMb, { ordered: this.#ordered, reported: this.#reported, error, starting });
    this.#ended(cause, inFlight, false);
  }

  /** Whether this was the former thread of an upgrade, whose place another takes now. */
  #swaps(former: ActorThread): boolean {
    const upgrade = this.#upgrade;
    if (upgrade?.isSwapping !== true || this.#ordered !== undefined || former === upgrade.thread) return false;
    this.#swap(upgrade, former);
    return true;
  }

  /** The former thread has left: the new one takes its place. No exit is reported, because the actor lives on. */
  #swap(upgrade: Upgrade, former: ActorThread): void {
    const host = this.#host;
    const { place, totals } = this.#actor;
    this.#clearZombieTimer();
    host.takeMessages();
    place.mailbox.recover();
    if (place.leftTo(former) === undefined) host.threadExited(former, this.#actor, place.slot);
    const { consumedBefore } = place.mailbox;
    const { thread } = upgrade;
    if (upgrade.exited !== undefined) {
      this.#ended(upgrade.exited, undefined, false);
      return;
    }
    place.leaveZombies();
    totals.threadEnded(place.words);
    this.#forgetThread();
    this.#reported = undefined;
    this.#thread = thread;
    const source = this.#logSource(thread);
    thread.listen({
      onMessage: (message) => this.#onThreadMessage(source, message),
      onExit: (error) => this.#onThreadExit(thread, source, error),
    });
    host.guard.forget(thread);
    host.threadStarted(thread, this.#actor);
    // Replies that the former thread deferred and took with it.
    host.notifyCallers(place.slot, UPGRADED, consumedBefore, false);
    upgrade.tookOver();
    upgrade.takeOver(place.slot.address, place.words);
    this.#requestTraces(thread);
  }

  /** The former thread was asked to leave, and has not. */
  #hurryOut(): void {
    const thread = this.#thread;
    if (thread === undefined) return;
    thread.terminate();
    this.#zombieTimer = setTimeout(() => this.#giveUp(thread), ZOMBIE_MS);
  }

  /** Asks the thread to end, whatever it does. False when there is none. */
  #kill(reason: ExitReason): boolean {
    const thread = this.#thread;
    if (thread === undefined) return false;
    this.#ordered ??= reason;
    // While it can still be asked.
    this.#actor.readTotals();
    thread.terminate();
    this.#zombieTimer ??= setTimeout(() => this.#giveUp(thread), ZOMBIE_MS);
    return true;
  }

  /** The thread ignores its kill, and is left to itself. */
  #giveUp(thread: ActorThread): void {
    if (this.#thread !== thread) return;
    const reason = this.#ordered ?? this.#reported ?? KILLED;
    this.#actor.place.abandon(thread);
    this.#host.threadAbandoned(thread, this.#actor, reason);
    if (!this.#swaps(thread)) this.#ended(reason, this.#actor.place.mailbox.recover(), true);
  }

  /** The thread has exited, or is given up: what follows is the same. */
  #ended(reason: ExitReason, inFlight: Undelivered | undefined, zombie: boolean): void {
    const host = this.#host;
    const { id, spec, place, totals } = this.#actor;
    this.#clearZombieTimer();
    this.#upgrade?.ended(reason);
    this.#thread = undefined;
    this.#running = false;
    this.#reported = reason;
    totals.threadEnded(place.words);
    const lost = inFlight === undefined ? [] : [inFlight];
    totals.lost.crash += lost.length;
    if (spec.mailbox.onRestart === "drop" && this.#stopping === undefined) {
      const queued = place.mailbox.takeAll(host.producer);
      totals.lost.restart += queued.length;
      lost.push(...queued);
    }
    this.#stopping?.lost(lost.length);
    const { consumedBefore } = place.mailbox;

    // Before the supervisor is told, who may start the next incarnation at once.
    const tellWatchers = host.lifeEnded(this.#actor, reason);
    this.introspection.ended(reason);
    if (this.#starting !== undefined) this.#startFailed(reason);
    else if (this.#stopping === undefined) this.#onExit(reason);

    if (lost.length > 0) host.undelivered(id, lost, reason);
    host.notifyCallers(place.slot, reason, consumedBefore, false);
    tellWatchers();
    this.#stopped(reason, zombie);
  }

  /** Ends a start whose thread waits for its turn. */
  #withdraw(reason: ExitReason): void {
    if (this.#starting === undefined || this.#thread !== undefined) return;
    this.#reported = reason;
    this.#startFailed(reason);
  }

  #startFailed(reason: ExitReason): void {
    const { spec } = this.#actor;
    if (this.incarnation === 1) this.#host.releaseName(this.#actor, spec.name);
    this.#settleStart(this.#starting?.ignored === true ? { kind: "ignored" } : { kind: "failed", reason });
  }

  #settleStart(outcome: StartOutcome<ActorRef>): void {
    const starting = this.#starting;
    this.#starting = undefined;
    starting?.settle(outcome);
  }

  #stopped(reason: ExitReason, zombie: boolean): void {
    const stopping = this.#stopping;
    this.#stopping = undefined;
    stopping?.settle(reason, zombie);
  }

  #clearZombieTimer(): void {
    clearTimeout(this.#zombieTimer);
    this.#zombieTimer = undefined;
  }
}
