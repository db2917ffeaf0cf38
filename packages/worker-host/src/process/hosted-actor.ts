import type { ActorContext, ActorLog } from "../actor/context.js";
import { type ActorDefinition, type HandlersOf, isIgnore } from "../actor/define-actor.js";
import { type ItemSource, isStream, sourceOf } from "../loop/outgoing-stream.js";
import { isThenable } from "../loop/thenable.js";
import type { FromActorProcess, ToActorProcess } from "../protocol/port/process.js";
import { uncloneableFor } from "../protocol/refs/transfer-list.js";
import { type Encoded, encoded, encodeForeign, payloadOf } from "../protocol/values/encoded.js";
import { checkLeavesMemory } from "../protocol/values/task-value.js";
import { processContext } from "./process-context.js";
import type { ProcessSender } from "./process-sender.js";
import type { ThreadChannel } from "./thread-channel.js";

type Of<T extends ToActorProcess["type"]> = Extract<ToActorProcess, { type: T }>;

/** The run that was begun last. */
interface Run {
  readonly number: number;
  isDeferred: boolean;
}

/** An actor's definition in a process of its own: runs the parts that the actor's thread asks for. */
export class HostedActor {
  readonly #definition: ActorDefinition<any, any, HandlersOf<any>>;
  readonly #channel: ThreadChannel;
  readonly #sender: ProcessSender;
  readonly #log: ActorLog;
  readonly #handlers: ReadonlyMap<string, (...args: any[]) => unknown>;
  readonly #streams = new Map<number, ItemSource>();
  /** Of the runs whose code has asked for its signal, until they end. */
  readonly #signals = new Map<number, AbortController>();
  #context: ActorContext<any> | undefined;
  /** Before the process is an incarnation. */
  #state: unknown;
  #current: Run = { number: 0, isDeferred: false };
  /** Runs that have not ended. The state may be asked for while a handler waits. */
  readonly #open = new Set<number>();

  constructor(
    definition: ActorDefinition<any, any, any>,
    channel: ThreadChannel,
    sender: ProcessSender,
    log: ActorLog,
  ) {
    this.#definition = definition;
    this.#channel = channel;
    this.#sender = sender;
    this.#log = log;
    this.#handlers = new Map(Object.entries<(...args: any[]) => unknown>(definition.handlers));
  }

  /** A part of the definition runs. */
  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  become(message: Of<"incarnation">): void {
    this.#context = processContext(message, {
      channel: this.#channel,
      sender: this.#sender,
      log: this.#log,
      signal: () => this.#signal(),
      deferred: () => {
        this.#current.isDeferred = true;
      },
      streams: (run, value) => this.#streamsBy(run, value),
    });
    this.#context.state = this.#state;
  }

  run(message: Of<"run">): void {
    const run = { number: message.run, isDeferred: false };
    this.#current = run;
    this.#open.add(run.number);
    const ended = (value: unknown): void => {
      this.#open.delete(run.number);
      this.#ended(message, run, value);
    };
    const failed = (error: unknown): void => {
      this.#open.delete(run.number);
      this.#failed(run.number, error);
    };
    let result: unknown;
    try {
      result = this.#apply(message);
      if (isThenable(result)) {
        result.then(ended, failed);
        return;
      }
    } catch (error) {
      failed(error);
      return;
    }
    ended(result);
  }

  abort({ run }: Of<"abort">): void {
    this.#signals.get(run)?.abort();
  }

  pull({ run, ends }: Of<"pull">): void {
    const source = this.#streams.get(run);
    if (source === undefined) return;
    // What its generator asks `ctx` for is for its run.
    this.#current = { number: run, isDeferred: false };
    if (ends) this.#signals.get(run)?.abort();
    const took = (step: unknown): void => {
      if (typeof step !== "object" || step === null)
        return threw(new TypeError("next() of its iterator has returned no object"));
      const { done, value } = step as { done?: unknown; value?: unknown };
      if (ends || done === true) {
        this.#streamEnded(run);
        this.#post({ type: "item_done", run });
        return;
      }
      let item: Encoded;
      try {
        item = this.#encode(value, "item");
      } catch (error) {
        this.#post({ type: "item_refused", run, error: this.#foreign(error) });
        return;
      }
      this.#post({ type: "item", run, value: item });
    };
    const threw = (error: unknown): void => {
      this.#streamEnded(run);
      this.#post({ type: "item_failed", run, error: this.#foreign(error) });
    };
    try {
      const step = ends ? source.return?.() : source.next();
      if (isThenable(step)) step.then(took, threw);
      else took(ends ? { done: true } : step);
    } catch (error) {
      threw(error);
    }
  }

  #apply({ part, method, args: encodedArgs }: Of<"run">): unknown {
    const definition = this.#definition;
    const { handlers } = definition;
    const context = this.#context as ActorContext<any>;
    const args = this.#sender.codec.decodeArgs(payloadOf(encodedArgs));
    switch (part) {
      case "init":
        return definition.init?.(context.args, context);
      case "handler":
        return this.#handlers.get(method)?.call(handlers, context, ...args);
      case "info":
        return definition.info?.call(definition, context, args[0]);
      case "terminate":
        return definition.terminate?.call(definition, context, args[0] as never);
      case "codeChange": {
        const [state, fromVersion] = args;
        return definition.codeChange === undefined ? state : definition.codeChange(state, fromVersion as string);
      }
      case "getState":
        return context.state;
      case "replaceState":
        context.state = args[0];
        return undefined;
    }
  }

  #ended({ part, method }: Of<"run">, run: Run, value: unknown): void {
    const { number } = run;
    if (part === "init" && isIgnore(value)) return this.#post({ type: "ignored", run: number });
    if (part === "init" || part === "codeChange") {
      this.#state = value;
      if (this.#context !== undefined) this.#context.state = value;
      return this.#answer(number, undefined);
    }
    if (part === "handler" && this.#streamsBy(number, value)) return this.#post({ type: "streams", run: number });
    this.#signals.delete(number);
    try {
      // What the thread does not send is not encoded.
      this.#answer(number, run.isDeferred || part === "info" || part === "terminate" ? undefined : value);
    } catch (error) {
      const id = this.#context?.id;
      const of = id === undefined ? { method } : { id, method };
      const said = this.#foreign(uncloneableFor(of, error));
      this.#post({ type: part === "getState" ? "failed" : "unanswerable", run: number, error: said });
    }
  }

  #streamsBy(run: number, value: unknown): boolean {
    const source = isStream(value) ? sourceOf(value) : undefined;
    if (source !== undefined) this.#streams.set(run, source);
    return source !== undefined;
  }

  #failed(run: number, error: unknown): void {
    this.#signals.delete(run);
    this.#post({ type: "failed", run, error: this.#foreign(error) });
  }

  #answer(run: number, value: unknown): void {
    this.#post({ type: "ran", run, value: this.#encode(value, "reply") });
  }

  #encode(value: unknown, root: string): Encoded {
    const { codec } = this.#sender;
    const sent = encoded(codec.encodeValue(value, undefined, root));
    checkLeavesMemory(codec, sent, root);
    return sent;
  }

  #foreign(error: unknown): Encoded {
    return encodeForeign(this.#sender.codec, error);
  }

  #streamEnded(run: number): void {
    this.#streams.delete(run);
    this.#signals.delete(run);
  }

  #signal(): AbortSignal {
    const { number } = this.#current;
    let controller = this.#signals.get(number);
    if (controller === undefined) {
      controller = new AbortController();
      this.#signals.set(number, controller);
      // The thread tells of a stream's without being asked.
      if (this.#streams.has(number)) return controller.signal;
      const args = encoded(this.#sender.codec.encodeArgs([]));
      if (this.#channel.ask({ what: "signal", args }) === true) controller.abort();
    }
    return controller.signal;
  }

  #post(message: FromActorProcess): void {
    this.#channel.post(message);
  }
}
