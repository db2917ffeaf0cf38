import type { ActorContext, DeferredReply } from "../actor/context.js";
import type { ActorOutbox } from "../loop/actor-outbox.js";
import { ActorError } from "../protocol/errors/errors.js";
import type { FromActorProcess, ProcessAnswer, ProcessRequest, ToActorProcess } from "../protocol/port/process.js";
import { ActorRef } from "../protocol/refs/actor-ref.js";
import { PoolRef } from "../protocol/refs/pool-ref.js";
import { RouterRef } from "../protocol/refs/router-ref.js";
import { encoded, encodeForeign, payloadOf } from "../protocol/values/encoded.js";
import { checkLeavesMemory } from "../protocol/values/task-value.js";

type Of<T extends FromActorProcess["type"]> = Extract<FromActorProcess, { type: T }>;
export type RequestMessage = Of<"ask" | "begin" | "give_up" | "grant" | "reply">;

/** The process that asks. */
export interface Asking {
  send(message: ToActorProcess): void;
  answer(answer: ProcessAnswer): void;
  /** The signal of this run is aborted. */
  abort(run: number): void;
}

interface Open {
  readonly abort: AbortController;
  /** Of a stream that is read. */
  grant?: (items: number) => void;
}

/** What a process asks of its actor's thread: things that `ctx` and references do, done by this thread's own. */
export class Requests {
  /** The run that is under way. */
  run = 0;
  readonly #asking: Asking;
  readonly #open = new Map<number, Open>();
  readonly #deferred = new Map<number, DeferredReply>();
  #lastDeferred = 0;
  #context: ActorContext<any> | undefined;
  #outbox: ActorOutbox | undefined;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  become(context: ActorContext<any>, outbox: ActorOutbox): void {
    this.#context = context;
    this.#outbox = outbox;
  }

  take(message: RequestMessage): void {
    switch (message.type) {
      case "ask":
        return this.#asking.answer(this.#answered(() => this.#ask(message)));
      case "begin":
        return void this.#begin(message);
      case "give_up":
        return this.#open.get(message.request)?.abort.abort();
      case "grant":
        return this.#open.get(message.request)?.grant?.(message.items);
      case "reply": {
        const deferred = this.#deferred.get(message.deferred);
        this.#deferred.delete(message.deferred);
        const value = this.#mine.outbox.codec.decodeValue(payloadOf(message.value));
        if (message.failed) deferred?.fail(value as Error);
        else deferred?.reply(value);
        return;
      }
      default:
        message satisfies never;
        throw new Error("no message of an actor's process");
    }
  }

  /** The deferred reply is what `value` makes: a stream, which a handler answers with in this way. */
  replyWith(deferred: number, value: () => unknown): void {
    const reply = this.#deferred.get(deferred);
    this.#deferred.delete(deferred);
    reply?.reply(value() as undefined);
  }

  /** What blocks the process. Nothing here waits for the process. */
  #ask(request: ProcessRequest): unknown {
    const { context } = this.#mine;
    const { what, to, method = "" } = request;
    const args = this.#argsOf(request);
    if (to !== undefined) return call(this.#refOf(request), what, [method, ...args]);
    switch (what) {
      case "signal": {
        const { run } = this;
        const { signal } = context;
        signal.addEventListener("abort", () => this.#asking.abort(run), { once: true });
        return signal.aborted;
      }
      case "deferReply":
        this.#deferred.set(++this.#lastDeferred, context.deferReply());
        return this.#lastDeferred;
      default:
        return call(context, what, args);
    }
  }

  async #begin(message: Of<"begin">): Promise<void> {
    const { request } = message;
    const abort = new AbortController();
    const open: Open = { abort };
    this.#open.set(request, open);
    let answer: ProcessAnswer;
    try {
      const value =
        message.what === "stream" ? await this.#read(message, open) : await this.#done(message, abort.signal);
      answer = this.#answered(() => value);
    } catch (error) {
      answer = this.#failure(error);
    }
    this.#open.delete(request);
    this.#asking.send({ type: "settled", request, ...answer });
  }

  #done(request: Of<"begin">, signal: AbortSignal): Promise<unknown> {
    const { what, to, method } = request;
    const args = this.#argsOf(request);
    const { context, outbox } = this.#mine;
    if (to === undefined) return call(context, what, args) as Promise<unknown>;
    if (what === "runTask") {
      const [task, name, waits] = args as [unknown, string | undefined, boolean];
      return outbox.runTask(to.uid, to.id, task, { name, waits, signal });
    }
    return call(
      this.#refOf(request, signal),
      what,
      method === undefined ? args : [method, ...args],
    ) as Promise<unknown>;
  }

  /** Reads a stream as far as the process has room for items. */
  async #read(message: Of<"begin">, open: Open): Promise<void> {
    const { request, to, method = "" } = message;
    const args = this.#argsOf(message);
    const { signal } = open.abort;
    let room = 0;
    let wake = (): void => {};
    open.grant = (items) => {
      room += items;
      wake();
    };
    signal.addEventListener("abort", () => wake(), { once: true });
    const items: AsyncIterableIterator<unknown> =
      to !== undefined && to.address === 0
        ? new PoolRef(this.#mine.outbox, to.uid, to.id).stream(args[0], { name: args[1] as string | undefined, signal })
        : (call(this.#refOf(message), "stream", [method, ...args]) as AsyncIterableIterator<unknown>);
    const { codec } = this.#mine.outbox;
    try {
      for (;;) {
        while (room <= 0 && !signal.aborted)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        if (signal.aborted) return;
        const { done, value } = await items.next();
        if (done) return;
        room--;
        const item = encoded(codec.encodeValue(value, undefined, "item"));
        checkLeavesMemory(codec, item, "item");
        this.#asking.send({ type: "item", request, item });
      }
    } finally {
      await items.return?.();
    }
  }

  #argsOf({ args }: ProcessRequest): unknown[] {
    return this.#mine.outbox.codec.decodeArgs(payloadOf(args));
  }

  #refOf({ to, timeoutMs }: ProcessRequest, signal?: AbortSignal): ActorRef {
    const { outbox } = this.#mine;
    const { address, uid, id, keyHash } = to as NonNullable<ProcessRequest["to"]>;
    const ref =
      keyHash === undefined
        ? new ActorRef(outbox, address, uid, id)
        : new RouterRef(outbox, address, uid, id, {}, keyHash ?? undefined);
    return timeoutMs === undefined && signal === undefined ? ref : ref.with({ timeoutMs, signal });
  }

  #answered(value: () => unknown): ProcessAnswer {
    try {
      const { codec } = this.#mine.outbox;
      const answer = encoded(codec.encodeValue(value()));
      checkLeavesMemory(codec, answer, "reply");
      return { failed: false, value: answer };
    } catch (error) {
      return this.#failure(error);
    }
  }

  #failure(error: unknown): ProcessAnswer {
    return { failed: true, value: encodeForeign(this.#mine.outbox.codec, error) };
  }

  get #mine(): { readonly context: ActorContext<any>; readonly outbox: ActorOutbox } {
    if (this.#context === undefined || this.#outbox === undefined)
      throw new ActorError("ERR_WRONG_THREAD", "the process is no incarnation of an actor yet");
    return { context: this.#context, outbox: this.#outbox };
  }
}

function call(on: object, what: string, args: readonly unknown[]): unknown {
  return (on as Record<string, (...args: unknown[]) => unknown>)[what](...args);
}
