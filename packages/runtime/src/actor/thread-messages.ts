import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import {
  decodeForeign,
  decodeReason,
  type Encoded,
  encoded,
  encodeForeign,
} from "@mini-otp/worker-host/protocol/values";
import type { Introspection } from "../introspection/introspection.js";
import type { LogSource } from "../reporting/actor-logs.js";
import { explainModule } from "../supervision/module-url.js";
import type { ActorThread } from "../threads/actor-thread.js";
import type { ActorHost } from "./actor-host.js";
import type { LivingActor } from "./living-actor.js";
import type { Upgrade } from "./upgrade.js";

/** The incarnation whose thread posts the messages. */
export interface SpeakingLife {
  readonly incarnation: number;
  readonly introspection: Introspection;
  readonly thread: ActorThread | undefined;
  readonly upgrade: Upgrade | undefined;
  post(message: ToActor): void;
  /** The module is loaded. */
  loaded(): void;
  /** `init` is done; or an upgrade's new thread has taken over. */
  started(): void;
  /** `init` returned `ignore()`. */
  ignored(): void;
  /** The thread will exit for this reason. */
  reported(reason: ExitReason): void;
  /** The thread has begun to exit. */
  exiting(): void;
}

/** Handles the messages that an actor's thread posts to main. */
export class ThreadMessages<A extends LivingActor> {
  readonly #actor: A;
  readonly #host: ActorHost<A>;
  readonly #life: SpeakingLife;

  constructor(actor: A, host: ActorHost<A>, life: SpeakingLife) {
    this.#actor = actor;
    this.#host = host;
    this.#life = life;
  }

  handle(source: LogSource, message: ToMain): void {
    const actor = this.#actor;
    const host = this.#host;
    const life = this.#life;
    const { codec } = host.mail.outbox;
    switch (message.type) {
      case "log":
        return host.threads.log(source, message);
      case "loaded":
        return life.loaded();
      case "started":
        return life.started();
      case "ignored":
        return life.ignored();
      case "init_failed":
      case "module_failed": {
        const error = decodeForeign(codec, message.error);
        return life.reported({ kind: "init_failed", error: explainModule(actor.id, error, actor.threads.module) });
      }
      case "exiting":
        life.reported(decodeReason(codec, message.reason));
        return life.exiting();
      case "handed_over":
        return life.upgrade?.handedOver(message.snapshot);
      case "hand_over_failed":
        return life.upgrade?.handOverFailed(message.error);
      case "returned":
        // While an upgrade is open, its end decides which thread gets the message.
        if (life.upgrade?.isOpen === true) return life.upgrade.hold(message.message);
        return life.post(message.message);
      case "answer":
        return life.introspection.answer(message.request, message.failed, message.value);
      case "heap_snapshot":
        return life.introspection.snapshotTaken(message);
      case "unseen_memory":
        if (life.thread !== undefined) host.threads.guard.unseenMemory(life.thread, message.bytes);
        return;
      case "unhandled":
        actor.meter.lost.unhandled++;
        return host.mail.unhandled(message.id ?? actor.id, message.method, message.detail);
      case "traced":
        if (message.member !== undefined) return actor.onTraced(message);
        return actor.traces.add(actor.id, life.incarnation, message);
      case "run_task":
        return host.threads.runTask(actor, message);
      case "abort_task":
        return host.threads.abortTask(actor, message.request);
      case "start_child":
        return this.#startChild(message.request, message.spec);
      case "whereis": {
        const ref = encoded(codec.encodeValue(host.names.whereis(message.name)));
        return life.post({ type: "found", ref });
      }
      case "watch_reader":
        return host.names.watchReader(actor, message.uid);
      case "monitor":
      case "demonitor":
      case "link":
      case "unlink":
      case "trap_exit":
      case "exit":
        return host.names.signal(actor, message);
      case "members":
        return actor.onNews(message);
      case "last_words":
        return actor.onLastWords(message);
      case "claim":
        return host.mail.claim(actor, message.owner, message.number, message.direct);
      case "parcel":
      case "parcel_lost":
      case "mailbox_full":
      case "dropped":
      case "detour":
        return host.mail.handleNotice(message, actor);
      case "over_cap":
        return host.threads.guard.ended(actor.id, message.reason);
      case "code_changed":
        // `Upgrade` hears it first; here it comes too late.
        return;
      case "compiled":
      case "child_process":
      case "process":
      case "process_figures":
        // `ActorThread` keeps these.
        return;
      default:
        message satisfies never;
    }
  }

  #startChild(request: number, spec: Encoded): void {
    const { codec } = this.#host.mail.outbox;
    const life = this.#life;
    const settled = (value: unknown, failed: boolean): void =>
      life.post({ type: "child_started", request, failed, value: encodeForeign(codec, value) });
    this.#actor.startChild(decodeForeign(codec, spec)).then(
      (ref) => settled(ref, false),
      (error: unknown) => settled(error, true),
    );
  }
}
