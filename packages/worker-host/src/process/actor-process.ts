import type { Readable } from "node:stream";
import type { ActorContext, DeferredReply } from "../actor/context.js";
import { type ActorDefinition, defineActor, ignore } from "../actor/define-actor.js";
import type { ActorOutbox } from "../loop/actor-outbox.js";
import type { LoopHost } from "../loop/loop-host.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import type { BootData, InitData, ProcessOptions } from "../protocol/port/boot.js";
import type { ToMain } from "../protocol/port/messages.js";
import type { FromActorProcess, ProcessPart, ToActorProcess } from "../protocol/port/process.js";
import { noSender } from "../protocol/refs/no-sender.js";
import { Codec } from "../protocol/values/codec.js";
import { decodeForeign, decodeReason, type Encoded, encoded, payloadOf } from "../protocol/values/encoded.js";
import { checkLeavesMemory } from "../protocol/values/task-value.js";
import { ChildProgram } from "./child-program.js";
import { RemoteStream } from "./remote-stream.js";
import { Requests } from "./requests.js";

type Loaded = Extract<FromActorProcess, { type: "loaded" }>;

/** The way out of the thread, and to main. */
export interface ProcessHost {
  post(message: ToMain, transfer?: readonly ArrayBuffer[]): void;
  log(line: Extract<ToMain, { type: "log" }>): void;
  /** Main hears of the exit; the process still has to end. */
  announce(reason: ExitReason): void;
  /** The process has ended for this reason, which counts if it has announced none. Ends the thread. */
  ended(reason: ExitReason): void;
}

interface Run {
  readonly part: ProcessPart;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What the thread has in the place of the actor's state, which is in the process. */
const ELSEWHERE = Object.freeze({});

/**
 * The process that runs an actor's module, as its thread sees it. The thread runs the ordinary loop on the definition here,
 * whose parts have the process run the same parts of the module's: so the mailbox, what is accepted there, supervision,
 * timers, links and calls are those of any actor. The process is sent one message at a time.
 */
export class ActorProcess {
  readonly #host: ProcessHost;
  readonly #program: ChildProgram;
  readonly #requests: Requests;
  readonly #level: Int32Array;
  readonly #runs = new Map<number, Run>();
  readonly #streams = new Map<number, RemoteStream>();
  #lastRun = 0;
  #codec = new Codec(noSender);
  #context: ActorContext<any> | undefined;
  #loaded: { resolve(loaded: Loaded): void; reject(error: unknown): void } | undefined;
  #whenEnded: (() => void) | undefined;
  #hasEnded = false;

  constructor(options: ProcessOptions, boot: BootData, host: ProcessHost) {
    this.#host = host;
    this.#level = new Int32Array(boot.logLevel);
    this.#program = new ChildProgram(options, forwardToMain, {
      onMessage: (message) => this.#take(message as FromActorProcess),
      onOverCap: (reason) => host.post({ type: "over_cap", reason }),
      onExit: (reason) => this.#ended(reason),
    });
    this.#requests = new Requests({
      send: (message) => this.#program.post(message),
      answer: (answer) => this.#program.answer(answer),
      abort: (run) => this.#post({ type: "abort", run }),
    });
    if (this.#program.pid === 0) return;
    host.post({ type: "process", pid: this.#program.pid });
    const { moduleUrls, console } = boot;
    const capMb = options.heapCapMb + options.offHeapCapMb;
    this.#post({ type: "boot", moduleUrls, capMb, console, logLevel: this.#level[0] });
  }

  /** Resolves when the process has loaded the module. Rejects with why it has not. */
  async load(): Promise<ActorDefinition<any, any, any>> {
    const loaded = await new Promise<Loaded>((resolve, reject) => {
      this.#loaded = { resolve, reject };
    });
    return this.#definitionFor(loaded);
  }

  /** Makes the process an incarnation of the actor. */
  become(
    { id, name, address, uid, incarnation, args }: InitData,
    context: ActorContext<any>,
    outbox: ActorOutbox,
  ): void {
    this.#context = context;
    this.#codec = outbox.codec;
    this.#requests.become(context, outbox);
    this.#post({ type: "incarnation", id, name, address, uid, incarnation, args });
  }

  /** For `codeChange`, which runs before the thread has the actor's place. */
  use(codec: Codec): void {
    this.#codec = codec;
  }

  /** What the thread's loop has the process do. */
  get hosting(): Pick<LoopHost, "state" | "heapSnapshot" | "cpuProfile"> {
    return {
      state: {
        getState: () => this.#run("getState", "", []),
        replaceState: async (state) => void (await this.#run("replaceState", "", [state])),
      },
      heapSnapshot: (request) => this.#program.look({ what: "heap_snapshot", request }),
      cpuProfile: (request, ms) => this.#program.look({ what: "cpu_profile", request, ms }),
    };
  }

  /** Has the process exit, so that its exit handlers run. Resolves when it has ended; main limits the time for that. */
  end(): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    this.#post({ type: "leave" });
    return new Promise((resolve) => {
      this.#whenEnded = resolve;
    });
  }

  #definitionFor({ methods, parts, version, throws }: Loaded): ActorDefinition<any, any, any> {
    const handlers = Object.fromEntries(
      methods.map((method) => [
        method,
        (_ctx: ActorContext<any>, ...args: unknown[]) => this.#run("handler", method, args),
      ]),
    );
    const has = new Set(parts);
    return defineActor({
      init: () => this.#run("init", "", []),
      handlers,
      info: has.has("info") ? (_ctx, message) => this.#run("info", "", [message]) : undefined,
      terminate: has.has("terminate") ? (_ctx, reason) => this.#run("terminate", "", [reason]) : undefined,
      codeChange: (state, fromVersion) => this.#run("codeChange", "", [state, fromVersion]),
      version,
      throws,
    }) as ActorDefinition<any, any, any>;
  }

  #run(part: ProcessPart, method: string, args: unknown[]): Promise<any> {
    let sent: Encoded;
    try {
      sent = encoded(this.#codec.encodeArgs(args));
      checkLeavesMemory(this.#codec, sent, "args");
    } catch (error) {
      // As a message that cannot be decoded: its sender is told, and the actor goes on.
      if (part !== "handler" && part !== "info") return Promise.reject(error);
      this.#unanswered(method, error);
      return Promise.resolve(undefined);
    }
    const run = ++this.#lastRun;
    this.#requests.run = run;
    const ran = new Promise<unknown>((resolve, reject) => this.#runs.set(run, { part, resolve, reject }));
    this.#post({ type: "run", run, part, method, args: sent, logLevel: this.#level[0] });
    return ran;
  }

  #post(message: ToActorProcess): void {
    this.#program.post(message);
  }

  #take(message: FromActorProcess): void {
    switch (message.type) {
      case "loaded":
        return this.#loaded?.resolve(message);
      case "not_loaded":
        return this.#loaded?.reject(decodeForeign(this.#codec, message.error));
      case "ran":
        return this.#settle(message.run, ({ part, resolve }) =>
          resolve(
            part === "init" || part === "codeChange" ? ELSEWHERE : this.#codec.decodeValue(payloadOf(message.value)),
          ),
        );
      case "failed":
        return this.#settle(message.run, ({ reject }) => reject(decodeForeign(this.#codec, message.error)));
      case "unanswerable":
        return this.#settle(message.run, ({ resolve }) => {
          this.#unanswered("", decodeForeign(this.#codec, message.error));
          resolve(undefined);
        });
      case "ignored":
        return this.#settle(message.run, ({ resolve }) => resolve(ignore()));
      case "streams":
        // The stream's, from here on: its generator may ask for it at any time.
        this.#context?.signal.addEventListener("abort", () => this.#post({ type: "abort", run: message.run }), {
          once: true,
        });
        return this.#settle(message.run, ({ resolve }) => resolve(this.#stream(message.run)));
      case "reply_stream":
        return this.#requests.replyWith(message.deferred, () => this.#stream(-message.deferred));
      case "item_refused":
        return this.#streams.get(message.run)?.refused(decodeForeign(this.#codec, message.error));
      case "item":
        return this.#streams.get(message.run)?.arrived(this.#codec.decodeValue(payloadOf(message.value)));
      case "item_done":
        return this.#streams.get(message.run)?.finished();
      case "item_failed":
        return this.#streams.get(message.run)?.failed(decodeForeign(this.#codec, message.error));
      case "log":
        return this.#host.log(message);
      case "figures":
        return this.#host.post({ type: "process_figures", figures: message.figures });
      case "snapshot":
        return this.#snapshot(message);
      case "looked":
        return this.#host.post({ ...message, type: "answer" });
      case "exiting":
        return this.#host.announce(decodeReason(this.#codec, message.reason));
      default:
        return this.#requests.take(message);
    }
  }

  #stream(run: number): RemoteStream {
    const stream = new RemoteStream(
      (ends) => this.#post({ type: "pull", run, ends }),
      () => this.#streams.delete(run),
    );
    this.#streams.set(run, stream);
    return stream;
  }

  #snapshot({ request, chunk, failure }: Extract<FromActorProcess, { type: "snapshot" }>): void {
    const type = "heap_snapshot";
    if (chunk === undefined) return this.#host.post({ type, request, chunks: [], failure });
    // Its memory is that of the pipe's messages.
    const own = new Uint8Array(chunk);
    this.#host.post({ type, request, chunks: [own], more: true }, [own.buffer]);
  }

  #settle(run: number, settle: (run: Run) => void): void {
    const found = this.#runs.get(run);
    this.#runs.delete(run);
    if (found === undefined) return;
    try {
      settle(found);
    } catch (error) {
      found.reject(error);
    }
  }

  /** The current call fails with `error`; where no call waits it is logged. */
  #unanswered(method: string, error: unknown): void {
    let reply: DeferredReply | undefined;
    try {
      reply = this.#context?.deferReply();
    } catch {
      // The message is not a call, or it has been answered.
    }
    if (reply !== undefined) reply.fail(error as Error);
    else this.#context?.log.warn({ err: error, method }, "a message that no other process can have was dropped");
  }

  #ended(reason: ExitReason): void {
    this.#hasEnded = true;
    this.#loaded?.reject(reason);
    if (this.#whenEnded !== undefined) this.#whenEnded();
    else this.#host.ended(reason);
  }
}

/** By this thread's own streams, as what a thread prints goes to main. */
function forwardToMain({ stdout, stderr }: { readonly stdout: Readable; readonly stderr: Readable }): void {
  stdout.pipe(process.stdout, { end: false });
  stderr.pipe(process.stderr, { end: false });
}
