import { ActorError, describe, describeExit, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { InitData, ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import type { Transferable } from "@mini-otp/worker-host/protocol/refs";
import { type Codec, decodeForeign, decodeReason, type Encoded } from "@mini-otp/worker-host/protocol/values";
import { systemClock, type Timer } from "../supervision/clock.js";
import { type Deferred, deferred } from "../supervision/deferred.js";
import { explainModule } from "../supervision/module-url.js";
import { afterRunning } from "../supervision/running-time.js";
import { moduleCandidates } from "../threads/actor-module.js";
import type { ActorThread, ThreadListener } from "../threads/actor-thread.js";
import type { ActorHost, UpgradeReport } from "./actor-host.js";
import type { LivingActor } from "./living-actor.js";

/** The reason for callers whose deferred reply is lost with the former thread. */
const UPGRADED: ExitReason = Object.freeze({ kind: "shutdown", detail: "upgraded" });

/** The incarnation that is upgraded. */
export interface UpgradedLife {
  initData(): InitData;
  /** Posts to the former thread, which has not exited. */
  postFormer(message: ToActor, transfer?: readonly Transferable[]): void;
  /** The new thread is ready, and the former one will leave: there is no way back. */
  committed(): void;
  /** The new thread has posted a message that does not concern the upgrade. */
  onMessage(message: ToMain): void;
  /** The former thread is gone: `thread` runs the actor from now on. */
  take(thread: ActorThread): void;
}

type FailureCode = "ERR_INIT_FAILED" | "ERR_INIT_TIMEOUT" | "ERR_CALL_EXIT";

interface FailureFacts {
  readonly reason: ExitReason;
  readonly timeoutMs?: number;
  readonly cause?: unknown;
}

/** In this order. A failure up to `changing the code` leaves the former thread in its place. */
type Stage =
  | "loading the module"
  | "waiting for the message being handled"
  | "changing the code"
  | "swapping"
  | "taking over"
  | "over";

interface Held {
  readonly message: ToActor;
  readonly transfer: readonly Transferable[] | undefined;
}

/**
 * One upgrade. A second thread loads the new module; the first stops between two messages and hands its state over; the
 * second converts the state; the first leaves. Only when the first has exited does the second take over, so that two
 * threads never consume one mailbox.
 */
export class Upgrade<A extends LivingActor = LivingActor> {
  readonly thread: ActorThread;
  /** The new thread's exit reason, once it has exited. */
  exited: ExitReason | undefined;
  readonly #done: Deferred<UpgradeReport> = deferred();
  readonly #actor: A;
  readonly #host: ActorHost<A>;
  readonly #codec: Codec;
  readonly #module: URL | string;
  readonly #life: UpgradedLife;
  /** Stands for the version of code that does not name one: its module's URL. */
  readonly #fromVersion: string;
  readonly #timer: Timer;
  /** Control messages that the former thread did not handle any more. */
  readonly #held: Held[] = [];
  #stage: Stage = "loading the module";
  #reported: ExitReason | undefined;
  #report: UpgradeReport | undefined;

  constructor(actor: A, host: ActorHost<A>, module: URL | string, timeoutMs: number, life: UpgradedLife) {
    this.#actor = actor;
    this.#host = host;
    this.#codec = host.mail.outbox.codec;
    this.#module = module;
    this.#life = life;
    this.#fromVersion = moduleCandidates(actor.threads.module)[0];
    const listener: ThreadListener = {
      onMessage: (message) => this.#onMessage(message),
      onExit: (error) => this.#onExit(error),
    };
    // Throws for an impossible module, before anything has begun.
    this.thread = actor.threads.startSuccessor(module, listener, (reason) => this.kill(reason));
    this.#timer = afterRunning(systemClock, timeoutMs, () => this.#timedOut(timeoutMs));
  }

  get done(): Promise<UpgradeReport> {
    return this.#done.promise;
  }

  /** The former thread leaves, and the new one has not taken over: neither handles a control message. */
  get isSwapping(): boolean {
    return this.#stage === "swapping";
  }

  /** It is still open which of the two threads will run the actor. */
  get isOpen(): boolean {
    return this.#stage !== "taking over" && this.#stage !== "over";
  }

  /** The guard ends the new thread. */
  kill(reason: ExitReason): void {
    this.#reported ??= reason;
    this.thread.terminate();
  }

  /** The former thread has stopped between two messages. */
  handedOver(snapshot: Encoded): void {
    if (this.#stage !== "waiting for the message being handled") return;
    this.#stage = "changing the code";
    const fromVersion = this.#fromVersion;
    this.thread.post({ type: "change_code", init: this.#life.initData(), snapshot, fromVersion });
  }

  handOverFailed(error: Encoded): void {
    if (this.#stage !== "waiting for the message being handled") return;
    this.#fail(this.#decode(error));
  }

  /** Keeps a control message for the thread that will run the actor. */
  hold(message: ToActor, transfer?: readonly Transferable[]): void {
    this.#held.push({ message, transfer });
  }

  /**
   * The former thread has exited, or is given up: the new one takes its place. If the new one has exited meanwhile,
   * returns its exit reason instead, and the actor ends with it.
   */
  swap(former: ActorThread): ExitReason | undefined {
    const host = this.#host;
    const { place, meter } = this.#actor;
    host.threads.takeMessages();
    place.mailbox.recover();
    if (place.abandonedSlotOf(former) === undefined) host.threads.exited(former, this.#actor, place.slot);
    const { consumedBefore } = place.mailbox;
    if (this.exited !== undefined) return this.exited;
    place.relocateIfShared();
    meter.threadEnded(former, place.words);
    this.#life.take(this.thread);
    host.threads.guard.forget(this.thread);
    host.threads.started(this.thread, this.#actor);
    // The former thread took the replies that it had deferred with it.
    host.mail.notifyCallers(place.slot, UPGRADED, consumedBefore, false);
    // From now on the new thread's exit ends the actor.
    this.#stage = "taking over";
    this.#takeOver();
    return undefined;
  }

  #takeOver(): void {
    const { slot, words } = this.#actor.place;
    this.thread.post({ type: "take_over", address: slot.address }, words);
    for (const { message, transfer } of this.#held.splice(0)) this.thread.post(message, words, transfer);
  }

  /** Gives the upgrade up, as long as there is a way back: the actor is stopping with this reason. */
  abort(reason: ExitReason): void {
    if (this.#stage === "swapping" || this.#stage === "taking over") return;
    this.#fail(this.#error("ERR_CALL_EXIT", "the actor is stopping", { reason }));
  }

  /** The actor has ended. */
  ended(reason: ExitReason): void {
    if (this.#stage === "over") return;
    const ours = this.#stage === "taking over" || this.exited !== undefined;
    this.#fail(this.#error("ERR_CALL_EXIT", `the actor ended: ${describeExit(reason)}`, { reason }), !ours);
  }

  /** The new thread runs the actor. */
  finished(): void {
    if (this.#stage !== "taking over") return;
    this.#stage = "over";
    this.#done.resolve(this.#report as UpgradeReport);
  }

  #onMessage(message: ToMain): void {
    switch (message.type) {
      case "loaded":
        if (this.#stage !== "loading the module") break;
        this.#stage = "waiting for the message being handled";
        this.#life.postFormer({ type: "hand_over" });
        break;
      case "module_failed":
        this.#fail(explainModule(this.#actor.id, this.#decode(message.error), this.#module));
        break;
      case "init_failed": {
        const cause = this.#decode(message.error);
        const reason: ExitReason = { kind: "init_failed", error: cause };
        this.#fail(this.#error("ERR_INIT_FAILED", `codeChange threw ${describe(cause)}`, { reason, cause }));
        break;
      }
      case "exiting":
        this.#reported = decodeReason(this.#codec, message.reason);
        break;
      case "code_changed": {
        if (this.#stage !== "changing the code") break;
        this.#timer.cancel();
        this.#stage = "swapping";
        this.#report = { fromVersion: message.fromVersion, version: message.version };
        this.#actor.threads.upgraded(this.#module);
        this.#life.committed();
        this.#life.postFormer({ type: "leave" });
        break;
      }
      default:
        this.#life.onMessage(message);
    }
  }

  #onExit(error: Error | undefined): void {
    const unknown: ExitReason = error === undefined ? { kind: "exit_called", code: 0 } : { kind: "error", error };
    this.exited = this.#reported ?? unknown;
    if (this.#stage === "swapping") return;
    const why = `the new thread ended: ${describeExit(this.exited)}`;
    this.#fail(this.#error("ERR_INIT_FAILED", why, { reason: this.exited }));
  }

  #timedOut(timeoutMs: number): void {
    const reason: ExitReason = { kind: "init_timeout", afterMs: timeoutMs };
    this.#fail(this.#error("ERR_INIT_TIMEOUT", `not within timeoutMs=${timeoutMs}`, { reason, timeoutMs }));
  }

  #fail(error: unknown, endThread = true): void {
    if (this.#stage === "over") return;
    const stage = this.#stage;
    this.#stage = "over";
    this.#timer.cancel();
    if (endThread) this.#actor.threads.endSuccessor(this.thread);
    this.#done.reject(error);
    if (stage !== "waiting for the message being handled" && stage !== "changing the code") return;
    this.#life.postFormer({ type: "go_on" });
    for (const { message, transfer } of this.#held.splice(0)) this.#life.postFormer(message, transfer);
  }

  #error(code: FailureCode, why: string, facts: FailureFacts): ActorError<FailureCode> {
    const { id } = this.#actor;
    const stage = this.#stage;
    return new ActorError(code, `id=${id} upgrade: ${why} (${stage})`, { id, stage, ...facts });
  }

  #decode(error: Encoded): unknown {
    return decodeForeign(this.#codec, error);
  }
}
