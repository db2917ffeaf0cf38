import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { ConsumerState, SLOT_HEADER_WORDS } from "@mini-otp/worker-host/protocol/memory";
import type { InitData, ToMain } from "@mini-otp/worker-host/protocol/port";
import { encodeForeign } from "@mini-otp/worker-host/protocol/values";
import type { LogSource } from "../reporting/actor-logs.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import { ActorThread, type ThreadListener, type ThreadOptions } from "./actor-thread.js";
import { type SpareThreads, spareKey } from "./spare-threads.js";
import { type ThreadResources, threadOptions } from "./thread-options.js";

export interface ThreadSourceHost extends ThreadResources {
  readonly spares: SpareThreads;
  /** Threads that will run actors, and have to learn of new segments. */
  readonly preparing: Set<ActorThread>;
  log(source: LogSource, line: Extract<ToMain, { type: "log" }>): void;
}

/** A new thread's listener until it has an owner. Nothing arrives before the event loop turns, so nothing is missed. */
const NOT_YET: ThreadListener = { onMessage: () => {}, onExit: () => {} };

/** Makes the threads of one actor. */
export class ThreadSource {
  /** The module they run: the spec's, or the one that the actor was upgraded to. */
  #module: URL | string;
  /** Ends the spares that were there before the upgrade that is under way, or was last. */
  #endFormerSpares = (): void => {};
  readonly #host: ThreadSourceHost;
  readonly #id: string;
  readonly #spec: FullActorSpec;
  /** The `args` of the next thread. */
  argsNow: () => unknown;

  constructor(host: ThreadSourceHost, id: string, spec: FullActorSpec) {
    this.#host = host;
    this.#id = id;
    this.#spec = spec;
    this.#module = spec.actor;
    this.argsNow = () => spec.args;
  }

  get module(): URL | string {
    return this.#module;
  }

  /**
   * From now on they run `module`, which the thread of `startSuccessor` has loaded. Spares that loaded it before are
   * ended: the file at this URL may have been another one then.
   */
  upgraded(module: URL | string): void {
    this.#module = module;
    this.#endFormerSpares();
  }

  /** A thread that has loaded the module, or is loading it. The caller has to `listen` to it. */
  takeSpare(): ActorThread | undefined {
    return this.#host.spares.take(spareKey(this.#options(this.#module)));
  }

  /** The caller has to `listen` to it. */
  start(): ActorThread {
    return new ActorThread(this.#options(this.#module), NOT_YET);
  }

  /** Prepares a thread for the next restart: an actor that was restarted is likely to be restarted again. */
  provideSpare(): void {
    const options = this.#options(this.#module);
    const prepare = (listener: ThreadListener) => this.#prepare(options, listener);
    this.#host.spares.provide(spareKey(options), options.boot.moduleUrls[0], this.#spec.startTimeoutMs, prepare);
  }

  /** Starts the new thread of an upgrade to `module`. The guard ends it by calling `kill`. */
  startSuccessor(module: URL | string, listener: ThreadListener, kill: (reason: ExitReason) => void): ActorThread {
    const options = this.#options(module);
    this.#endFormerSpares = this.#host.spares.loadedFrom(options.boot.moduleUrls[0]);
    const thread = this.#prepare(options, listener, kill);
    this.#host.preparing.add(thread);
    return thread;
  }

  /** Ends the new thread of an upgrade that failed. */
  endSuccessor(thread: ActorThread): void {
    this.#host.preparing.delete(thread);
    this.#host.spares.end(thread);
  }

  /** The message that makes a thread an incarnation of the actor. */
  initData(slot: { readonly address: number; readonly uid: number }, incarnation: number): InitData {
    const { name, throws } = this.#spec;
    const { address, uid } = slot;
    const encodedArgs = encodeForeign(this.#host.outbox.codec, this.argsNow());
    return { type: "init", id: this.#id, name, address, uid, incarnation, throws, args: encodedArgs };
  }

  #options(module: URL | string): ThreadOptions {
    return threadOptions(this.#host, this.#id, this.#spec, module);
  }

  /** The guard watches these threads too: loading a module can use up memory. Without `kill` the thread is a spare. */
  #prepare(options: ThreadOptions, listener: ThreadListener, kill?: (reason: ExitReason) => void): ActorThread {
    const { guard } = this.#host;
    const { heapCapMb, offHeapCapMb } = this.#spec;
    const isSpare = kill === undefined;
    const id = isSpare ? `${this.#id} (spare)` : this.#id;
    const words = new Int32Array(SLOT_HEADER_WORDS);
    const state = new ConsumerState(words);
    state.pretend({ sleeps: true, runsCallbacks: true });
    const thread = new ActorThread(options, {
      onMessage: (message) => {
        // A spare sleeps from now on; an upgrade's new thread will run `codeChange`.
        if (message.type === "loaded" && isSpare) state.mayRunCallbacks(false);
        if (message.type === "log") {
          this.#host.log({ id, incarnation: 0, thread: thread.threadId, words }, message);
          return;
        }
        listener.onMessage(message);
      },
      onExit: (error) => {
        guard.forget(thread);
        listener.onExit(error);
      },
    });
    const spec = { heapCapMb, offHeapCapMb, handlerTimeoutMs: Infinity };
    guard.guard(thread, { id, spec, running: false, kill: kill ?? (() => thread.terminate()) }, words);
    return thread;
  }
}
