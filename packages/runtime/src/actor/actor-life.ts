// Longer than other files, because the steps of an end, whose order matters, are in one place.
import { ActorError, type ExitReason, KILLED } from "@mini-otp/worker-host/protocol/errors";
import type { ToActor } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef, Transferable } from "@mini-otp/worker-host/protocol/refs";
import { encodeForeign } from "@mini-otp/worker-host/protocol/values";
import { Introspection } from "../introspection/introspection.js";
import type { Undelivered } from "../mailbox/mailbox.js";
import type { LogSource } from "../reporting/actor-logs.js";
import type { OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import type { ActorThread } from "../threads/actor-thread.js";
import { EXITING_MS, ZOMBIE_MS } from "../threads/end-limits.js";
import type { ActorHost } from "./actor-host.js";
import { exitCause } from "./exit-cause.js";
import { Leaving } from "./leaving.js";
import {
  hasThread,
  isRunning,
  isStarting,
  type LifeAction,
  type LifeEvent,
  lifeStep,
  NEW_LIFE,
  orderedReason,
  reasonOf,
} from "./life-step.js";
import { LifeThread } from "./life-thread.js";
import type { LivingActor } from "./living-actor.js";
import { Starting } from "./starting.js";
import { Stopping } from "./stopping.js";
import { type SpeakingLife, ThreadMessages } from "./thread-messages.js";
import { Upgrade } from "./upgrade.js";

/**
 * One incarnation of an actor, from its start to its exit: one thread, and after an upgrade another. `life-step.ts` has
 * its phases. An exit takes these steps, in this order: the message in flight is retried or given up, the dead thread's
 * locks are freed, the supervisor is told, then callers, then monitors and links.
 */
export class ActorLife<A extends LivingActor> {
  readonly incarnation: number;
  readonly introspection: Introspection;
  readonly #actor: A;
  readonly #host: ActorHost<A>;
  readonly #onExit: OnExit;
  readonly #thread: LifeThread;
  readonly #messages: ThreadMessages<A>;
  readonly #leaving = new Leaving(
    () => this.thread,
    (thread) => this.#giveUp(thread),
  );
  #state = NEW_LIFE;
  #starting: Starting | undefined;
  #stopping: Stopping | undefined;
  #upgrade: Upgrade | undefined;

  constructor(incarnation: number, actor: A, host: ActorHost<A>, onExit: OnExit) {
    this.incarnation = incarnation;
    this.#actor = actor;
    this.#host = host;
    this.#onExit = onExit;
    this.introspection = new Introspection(actor.id, host.mail.outbox.codec, this, actor.spec.isolation === "process");
    this.#messages = new ThreadMessages(actor, host, this.#speaking());
    this.#thread = new LifeThread(actor, incarnation, {
      onMessage: (source, message) => this.#messages.handle(source, message),
      onExit: (thread, source, error) => this.#onThreadExit(thread, source, error),
    });
  }

  get thread(): ActorThread | undefined {
    return this.#thread.current;
  }

  /** Once `init` is done. */
  get running(): boolean {
    return isRunning(this.#state);
  }

  /** Why it ended, or will end. */
  get reason(): ExitReason {
    return reasonOf(this.#state);
  }

  start(): Promise<StartOutcome<ActorRef>> {
    const { place, spec } = this.#actor;
    const host = this.#host;
    place.relocateIfShared();
    this.#thread.forgetFormer();
    try {
      host.names.claim(this.#actor, spec.name);
    } catch (error) {
      return Promise.resolve({ kind: "failed", reason: { kind: "init_failed", error } });
    }
    place.mailbox.open();
    const starting = new Starting();
    this.#starting = starting;
    this.#take({ kind: "start" });
    const spare = this.#actor.threads.takeSpare();
    if (spare !== undefined) this.#startThread(starting, spare);
    else starting.turn = host.threads.startGate.enter(() => this.#startThread(starting, undefined));
    return starting.outcome;
  }

  /** Ends the thread with this reason, and no handler can delay that. The supervisor sees an exit, not a stop. */
  end(reason: ExitReason): void {
    this.#take({ kind: "kill", reason });
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    const current = this.#stopping;
    if (current !== undefined) {
      current.limit(request);
      return current.outcome;
    }
    const stopping = new Stopping(request, this.#actor.place, this.#host.threads.clock, {
      ask: (reason, drain) =>
        this.post({ type: "stop", reason: encodeForeign(this.#host.mail.outbox.codec, reason), drain }),
      kill: () => this.#kill(KILLED),
      giveUp: () => this.thread !== undefined && this.#giveUp(this.thread),
    });
    this.#stopping = stopping;
    this.#upgrade?.abort(request.reason);
    this.#take({ kind: "stop", isBrutal: request.shutdown === "brutal_kill" });
    return stopping.outcome;
  }

  /** Posts to the thread. Does nothing when there is none. */
  post(message: ToActor, transfer?: readonly Transferable[]): void {
    if (this.#upgrade?.isSwapping === true) this.#upgrade.hold(message, transfer);
    else this.#thread.post(message, transfer);
  }

  /**
   * Loads this module in a second thread, which takes the actor over between two messages. Later restarts use the
   * module too. Rejects when the upgrade fails; the actor then goes on as before.
   */
  async upgrade(module: URL | string, timeoutMs: number): Promise<void> {
    const { id } = this.#actor;
    if (this.#upgrade !== undefined) {
      throw new ActorError("ERR_RUNNING", `id=${id} upgrade: the actor is being upgraded already`, { id });
    }
    if (!this.running || this.#stopping !== undefined) {
      throw new ActorError("ERR_NOPROC", `id=${id} upgrade: the actor is not running`, { id });
    }
    const upgrade: Upgrade = new Upgrade(this.#actor, this.#host, module, timeoutMs, {
      initData: () => this.#thread.initData,
      postFormer: (message, transfer) => this.#thread.post(message, transfer),
      committed: () => {
        this.#leaving.forceOutAfter(ZOMBIE_MS);
        this.#take({ kind: "swap" });
      },
      onMessage: (message) => this.#messages.handle(this.#thread.logSource(upgrade.thread), message),
      take: (thread) => {
        this.#thread.forgetFormer();
        this.#take({ kind: "swapped" });
        this.#thread.use(thread);
      },
    });
    this.#upgrade = upgrade;
    try {
      this.#host.names.upgraded(this.#actor, await upgrade.done);
    } finally {
      if (this.#upgrade === upgrade) this.#upgrade = undefined;
    }
  }

  #startThread(starting: Starting, spare: ActorThread | undefined): void {
    const afterMs = this.#actor.spec.startTimeoutMs;
    starting.threadStarts(afterMs, () => {
      // The thread may have reported its start by now.
      this.thread?.takeMessages();
      if (isStarting(this.#state)) this.#kill({ kind: "init_timeout", afterMs });
    });
    const thread = spare ?? this.#actor.threads.start();
    this.#thread.use(thread);
    this.#take({ kind: "thread_started" });
    this.#host.threads.started(thread, this.#actor);
    this.#host.names.lifeStarted(this.#actor);
    thread.post(this.#thread.initData);
    this.#thread.requestTraces();
  }

  #speaking(): SpeakingLife {
    const life = this;
    return {
      incarnation: life.incarnation,
      introspection: life.introspection,
      get thread() {
        return life.thread;
      },
      get upgrade() {
        return life.#upgrade;
      },
      post: (message) => life.post(message),
      loaded: () => life.#starting?.turn?.leave(),
      started: () => life.#started(),
      ignored: () => life.#take({ kind: "ignored" }),
      reported: (reason) => life.#take({ kind: "reported", reason }),
      exiting: () => life.#leaving.forceOutAfter(EXITING_MS),
    };
  }

  #started(): void {
    // The report comes too late: the thread is being killed, and the start fails.
    if (orderedReason(this.#state) !== undefined) return;
    this.#take({ kind: "initialised" });
    if (this.incarnation > 1) this.#actor.threads.provideSpare();
    this.#upgrade?.finished();
  }

  #onThreadExit(thread: ActorThread, source: LogSource, error: Error | undefined): void {
    const host = this.#host;
    const { id, spec, place } = this.#actor;
    host.threads.logs.ended(source);
    const left = place.abandonedSlotOf(thread);
    if (left !== undefined) {
      host.threads.exited(thread, this.#actor, left);
      place.zombieExited(thread);
      return;
    }
    if (this.#swaps(thread)) return;
    // Another actor may have asked for a monitor, say, and then caused this exit: its request comes first.
    host.threads.takeMessages();
    // This comes before the dead thread's locks are freed, because producers may drop the message in flight after that.
    const inFlight = place.mailbox.recover();
    host.threads.exited(thread, this.#actor, place.slot);
    const cause = exitCause(id, spec.heapCapMb, {
      ordered: orderedReason(this.#state),
      reported: this.#state.reported,
      error,
      starting: isStarting(this.#state),
    });
    this.#ended(cause, inFlight, false);
  }

  /** True if `former` was an upgrade's former thread: the new thread takes its place, and no exit is reported. */
  #swaps(former: ActorThread): boolean {
    const upgrade = this.#upgrade;
    if (this.#state.phase.kind !== "swapping" || upgrade === undefined) return false;
    this.#leaving.clear();
    const reason = upgrade.swap(former);
    if (reason === undefined) this.#thread.requestTraces();
    else this.#ended(reason, undefined, false);
    return true;
  }

  /** Kills the thread. False when there is none. */
  #kill(reason: ExitReason): boolean {
    if (!hasThread(this.#state)) return false;
    this.#take({ kind: "kill", reason });
    return true;
  }

  /** The thread has survived its kill: the actor goes on without it. */
  #giveUp(thread: ActorThread): void {
    if (this.thread !== thread) return;
    const reason = orderedReason(this.#state) ?? this.#state.reported ?? KILLED;
    this.#actor.place.abandon(thread);
    this.#host.threads.abandoned(thread, this.#actor, reason);
    if (!this.#swaps(thread)) this.#ended(reason, this.#actor.place.mailbox.recover(), true);
  }

  /** The thread has exited, or is given up. */
  #ended(reason: ExitReason, inFlight: Undelivered | undefined, zombie: boolean): void {
    const host = this.#host;
    const { id, spec, place, meter } = this.#actor;
    this.#leaving.clear();
    this.#upgrade?.ended(reason);
    const { thread } = this;
    this.#thread.ended();
    const { state, actions } = lifeStep(this.#state, { kind: "ended", reason });
    this.#state = state;
    if (thread !== undefined) meter.threadEnded(thread, place.words);
    const lost = inFlight === undefined ? [] : [inFlight];
    meter.lost.crash += lost.length;
    if (spec.mailbox.onRestart === "drop" && this.#stopping === undefined) {
      const queued = place.mailbox.takeAll(host.mail.producer);
      meter.lost.restart += queued.length;
      lost.push(...queued);
    }
    this.#stopping?.lost(lost.length);
    const { consumedBefore } = place.mailbox;

    // This comes before the supervisor is told, because it may start the next incarnation at once.
    const tellWatchers = host.names.lifeEnded(this.#actor, reason);
    this.introspection.ended(reason);
    this.#perform(actions);

    if (lost.length > 0) host.mail.undelivered(id, lost, reason);
    host.mail.notifyCallers(place.slot, reason, consumedBefore, false, this.#actor.keptCallsOf);
    tellWatchers();
    this.#stopped(reason, zombie);
  }

  #take(event: LifeEvent): void {
    const { state, actions } = lifeStep(this.#state, event);
    this.#state = state;
    this.#perform(actions);
  }

  #perform(actions: readonly LifeAction[]): void {
    for (const action of actions) {
      switch (action.kind) {
        case "settle_start":
          this.#settleStart(action);
          break;
        case "tell_supervisor":
          this.#onExit(action.reason);
          break;
        case "give_up_start":
          this.#stopping?.giveUpStart();
          break;
        case "kill_now":
          this.#stopping?.kill();
          break;
        case "ask_to_stop":
          this.#stopping?.ask();
          break;
        case "settle_stop":
          this.#stopped(this.reason, false);
          break;
        case "end_thread":
          this.#endThread();
          break;
      }
    }
  }

  #settleStart(settled: Extract<LifeAction, { kind: "settle_start" }>): void {
    const { ref, spec } = this.#actor;
    const starting = this.#starting;
    this.#starting = undefined;
    if (settled.outcome !== "started" && this.incarnation === 1) this.#host.names.release(this.#actor, spec.name);
    if (settled.outcome === "started") starting?.settle({ kind: "started", ref });
    else if (settled.outcome === "failed") starting?.settle({ kind: "failed", reason: settled.reason });
    else starting?.settle({ kind: "ignored" });
  }

  #endThread(): void {
    const { thread } = this;
    if (thread === undefined) return;
    const lastWords =
      this.#stopping === undefined ? this.#actor.lastWords(thread, orderedReason(this.#state)) : undefined;
    if (lastWords === undefined) this.#terminate(thread);
    else void lastWords.then(() => this.#terminate(thread));
  }

  #terminate(thread: ActorThread): void {
    if (this.thread !== thread) return;
    // The thread answers only as long as it has not ended.
    this.#actor.readMeter();
    this.#actor.place.withdrawOffer();
    thread.terminate();
    this.#leaving.giveUpAfterKill(thread);
  }

  #stopped(reason: ExitReason, zombie: boolean): void {
    const stopping = this.#stopping;
    this.#stopping = undefined;
    stopping?.settle(reason, zombie);
  }
}
