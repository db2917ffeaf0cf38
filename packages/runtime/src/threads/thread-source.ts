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
  /** Threads that are to be actors, and have to know of new segments. */
  readonly preparing: Set<ActorThread>;
  log(source: LogSource, line: Extract<ToMain, { type: "log" }>): void;
}

/** Of a thread that has just been made: it says nothing before the event loop turns. */
const NOT_YET: ThreadListener = { onMessage: () => {}, onExit: () => {} };

/** Where the threads of one actor come from. */
export class ThreadSource {
  /** What they run: the spec's, or what the actor was upgraded to. */
  module: URL | string;
  readonly #host: ThreadSourceHost;
  readonly #id: string;
  readonly #spec: FullActorSpec;

  constructor(host: ThreadSourceHost, id: string, spec: FullActorSpec) {
    this.#host = host;
    this.#id = id;
    this.#spec = spec;
    this.module = spec.actor;
  }

  /** A thread that has loaded the module already, or is about to. */
  takeSpare(): ActorThread | undefined {
    return this.#host.spares.take(spareKey(this.#options(this.module)));
  }

  /** The caller listens to it from now on. */
  start(): ActorThread {
    return new ActorThread(this.#options(this.module), NOT_YET);
  }

  /** What was restarted once is likely to need it again. */
  provideSpare(): void {
    const options = this.#options(this.module);
    const prepare = (listener: ThreadListener) => this.#prepare(options, listener);
    this.#host.spares.provide(spareKey(options), this.#spec.startTimeoutMs, prepare);
  }

  /** Starts the thread that an upgrade to `module` is made by. `kill` ends it for the guard's reason. */
  startSuccessor(module: URL | string, listener: ThreadListener, kill: (reason: ExitReason) => void): ActorThread {
    const thread = this.#prepare(this.#options(module), listener, kill);
    this.#host.preparing.add(thread);
    return thread;
  }

  /** Of an upgrade that came to nothing. */
  endSuccessor(thread: ActorThread): void {
    this.#host.preparing.delete(thread);
    this.#host.spares.end(thread);
  }

  /** What makes a thread an incarnation. */
  initData(slot: { readonly address: number; readonly uid: number }, incarnation: number): InitData {
    const { name, args } = this.#spec;
    const { address, uid } = slot;
    const encodedArgs = encodeForeign(this.#host.outbox.codec, args);
    return { type: "init", id: this.#id, name, address, uid, incarnation, args: encodedArgs };
  }

  #options(module: URL | string): ThreadOptions {
    return threadOptions(this.#host, this.#id, this.#spec, module);
  }

  /** The guard looks after these as well: loading the module may go wrong this time. Without `kill` it is a spare. */
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
        // A spare sleeps from now on; an upgrade's thread is going to run `codeChange`.
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
