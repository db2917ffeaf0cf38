import { type ActorContext, type ActorDefinition, isIgnore } from "@mini-otp/worker-host";
import {
  CurrentCall,
  DRAINED,
  type Handler,
  HandlerTable,
  isStream,
  LoopState,
  MAIL,
  NOTHING,
  nextWork,
  OwnMessages,
  STOP,
  Streams,
  THREW,
  type Work,
} from "@mini-otp/worker-host/loop";
import { type ExitReason, isReplyError } from "@mini-otp/worker-host/protocol/errors";
import type { Throws } from "@mini-otp/worker-host/protocol/options";
import type { ActorRef, PoolRef } from "@mini-otp/worker-host/protocol/refs";
import type { Logger } from "../reporting/logger.js";
import type { Clock, Timer } from "../supervision/clock.js";
import { InlineBonds } from "./inline-bonds.js";
import type { InlineCall, InlineCalls } from "./inline-call.js";
import { createInlineContext } from "./inline-context.js";
import { type InlineLight, LightLife } from "./inline-light.js";
import type { InlineMailbox, InlineMessage } from "./inline-mailbox.js";
import { INLINE_ADDRESS, type InlineSender } from "./inline-world.js";

// Taken when this module loads, because a test may replace it by a fake one later.
const { setImmediate: soon } = globalThis;

/** The same for all callers: inline, the correlation alone identifies a call. */
const MAIN_UID = 0;

export interface InlineLoopParts {
  readonly id: string;
  readonly name: string | undefined;
  readonly incarnation: number;
  readonly definition: ActorDefinition;
  readonly args: unknown;
  readonly ref: ActorRef;
  readonly sender: InlineSender;
  readonly mailbox: InlineMailbox;
  readonly calls: InlineCalls;
  readonly clock: Clock;
  readonly log: Logger;
  readonly throws: Throws;
  /** Of a light actor. */
  readonly light: InlineLight | undefined;
  /** Puts an event into the mailbox. */
  accept(method: string, args: unknown[]): boolean;
  /** The bonds of another actor on this thread. */
  bondsOf(ref: ActorRef | PoolRef): InlineBonds | undefined;
  /** Sends an exit signal to another actor on this thread. False: `ref` is not one. */
  exitInline(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): boolean;
  /** Starts a child of the actor's own. */
  startChild(spec: unknown): Promise<ActorRef>;
  /** A linked actor has ended. */
  exit(reason: ExitReason): void;
  /** A handler has thrown, or `terminate` is done. */
  ended(reason: ExitReason): void;
}

/**
 * One incarnation of an actor on the calling thread. It takes the actor's work in the order of the threaded loop, one
 * message at a time; between two messages microtasks run.
 */
export class InlineLoop {
  readonly state = new LoopState();
  readonly own: OwnMessages;
  readonly call: CurrentCall;
  readonly streams: Streams;
  readonly bonds: InlineBonds;
  readonly context: ActorContext<any>;
  /** `init` is done. */
  initialised = false;
  readonly #parts: InlineLoopParts;
  readonly #handlers: HandlerTable;
  /** Of a light actor. */
  readonly #life: LightLife | undefined;
  #items = 0;
  #scheduled = false;
  #wakeTimer: Timer | undefined;

  constructor(parts: InlineLoopParts) {
    this.#parts = parts;
    this.own = new OwnMessages(parts.clock);
    this.streams = new Streams({
      codec: parts.calls.codec,
      loopState: this.state,
      schedule: () => this.schedule(),
      send: ({ correlation }, kind, number, payload) =>
        parts.calls.reply(INLINE_ADDRESS, MAIN_UID, kind, correlation, payload, [], number),
      watch() {},
      unwatch() {},
      open() {},
      sent: (items) => {
        this.#items += items;
      },
      begin() {},
      end() {},
      threw: (error, method, fail) => this.#streamThrew(error, method, fail),
    });
    this.call = new CurrentCall(parts.id, parts.calls, this.state, this.streams);
    this.call.methodName = () => parts.mailbox.current.method;
    this.#handlers = new HandlerTable(parts.definition, { find: () => 0 });
    const { id, ref, definition } = parts;
    const { own, call, state: loopState } = this;
    const schedule = (): void => this.schedule();
    const exit = (reason: ExitReason): void => parts.exit(reason);
    this.bonds = new InlineBonds({ id, ref, own, loopState, bondsOf: parts.bondsOf, exit, schedule });
    const { handlers } = definition;
    this.#life = parts.light && new LightLife({ ...parts, handlers, loopState });
    this.context = createInlineContext({
      ...parts,
      life: this.#life,
      handlers,
      bonds: this.bonds,
      own,
      call,
      loopState,
      schedule,
    });
  }

  /** Runs `init`, then takes messages. */
  async start(): Promise<"started" | "ignored" | ExitReason> {
    const { definition, args } = this.#parts;
    try {
      const state: unknown = await definition.init?.(args, this.context);
      if (this.state.ended) return "started";
      if (isIgnore(state)) return "ignored";
      this.context.state = state;
    } catch (error) {
      return this.state.ended ? "started" : { kind: "init_failed", error };
    }
    this.initialised = true;
    this.state.busy = false;
    this.schedule();
    return "started";
  }

  /** The incarnation is over. The result of a handler that still runs is dropped. */
  end(): void {
    this.state.ended = true;
    this.#wakeTimer?.cancel();
    this.bonds.forget();
    if (this.#life === undefined) return;
    this.call.abort();
    this.#life.letGo();
  }

  get streamStats(): { readonly open: number; readonly items: number } {
    return { open: this.streams.size, items: this.#items };
  }

  /** The reader of a stream takes `items` more. */
  granted({ correlation }: InlineCall, items: number, bytes: number): void {
    this.streams.granted(MAIN_UID, correlation, items, bytes);
  }

  givenUp(call: InlineCall): void {
    if (call.reader !== undefined) this.streams.cancel(MAIN_UID, call.correlation);
    if (this.state.busy && this.call.is(MAIN_UID, call.correlation)) this.call.abort();
  }

  schedule(): void {
    if (this.#scheduled || this.state.ended) return;
    this.#scheduled = true;
    queueMicrotask(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    while (!this.state.ended) {
      const work = nextWork(this.state, this.own, this.#parts.mailbox);
      const { streams } = this;
      if (work !== NOTHING) await this.#do(work);
      else if (!streams.isReady || !streams.mayPull) break;
      if (!streams.isReady || !streams.mayPull) continue;
      streams.attendNext();
      // A generator and its reader, which have the same thread, must not keep everything else from it.
      await new Promise<void>((turned) => void soon(turned));
    }
    this.#scheduled = false;
    this.#rest();
  }

  /** Sets a wake-up for the next timer. None while `init` runs, because the loop is scheduled after it. */
  #rest(): void {
    this.#wakeTimer?.cancel();
    this.#wakeTimer = undefined;
    const { clock } = this.#parts;
    const due = this.own.nextDue;
    if (due === Infinity || this.state.busy || this.state.ended) return;
    this.#wakeTimer = clock.setTimer(Math.max(0, due - clock.now()), () => this.schedule());
  }

  async #do(work: Work): Promise<void> {
    const { mailbox } = this.#parts;
    if (work === STOP || work === DRAINED) {
      const { stopping, draining } = this.state;
      await this.#terminate((stopping ?? draining) as ExitReason);
    } else if (work === MAIL) {
      await this.#handle(mailbox.current);
    } else if (typeof work === "object") {
      await this.#handle(work);
    }
  }

  async #handle({ method, args, call }: InlineMessage): Promise<void> {
    // The caller has given up.
    if (call?.settled === true) return;
    this.call.begin(call && { address: INLINE_ADDRESS, uid: MAIN_UID, correlation: call.correlation });
    const handler = method === "" ? this.#info : this.#handlers.find(0, method);
    if (handler === undefined) {
      const { id, log } = this.#parts;
      const { caller } = this.call;
      if (caller !== undefined) this.call.fail(caller, this.#handlers.unknownMethod(id, method, args));
      else log.warn({ actor: id, method }, `unknown method; handlers: ${this.#handlers.names}`);
      return;
    }
    this.state.busy = true;
    let run: Promise<unknown>;
    try {
      run = Promise.resolve(handler.call(this.#parts.definition.handlers, this.context, ...args));
    } catch (error) {
      run = Promise.reject(error);
    }
    await run.then(
      (value) => this.#succeeded(value),
      (error: unknown) => this.#failed(error, method),
    );
  }

  #succeeded(value: unknown): void {
    if (this.state.ended) return;
    this.state.busy = false;
    const { caller, isAwaited } = this.call;
    if (caller !== undefined && isAwaited) this.call.reply(caller, value);
    else if (caller === undefined && isStream(value)) {
      const { id, log, mailbox } = this.#parts;
      log.warn({ actor: id, method: mailbox.current.method }, "a handler answers with a stream, and nothing reads it");
      this.streams.discard(value);
    }
    this.#parts.mailbox.handled++;
  }

  #failed(error: unknown, method: string): void {
    if (this.state.ended) return;
    this.state.busy = false;
    const isOurs = isReplyError(error);
    if (!isOurs && this.#parts.throws === "crash") {
      this.#parts.ended({ kind: "error", error });
      return;
    }
    const { id, log, mailbox } = this.#parts;
    if (!this.call.failed(error)) {
      if (isOurs) log.warn({ actor: id, err: error }, "a ReplyError was thrown where no call waits for it");
      else log.error({ actor: id, err: error, method: method === "" ? "info" : method }, THREW);
    }
    mailbox.handled++;
  }

  #streamThrew(error: unknown, method: string, fail: ((error: unknown) => void) | undefined): void {
    if (this.state.ended) return;
    const { id, log, throws, ended } = this.#parts;
    if (!isReplyError(error) && throws === "crash") ended({ kind: "error", error });
    else if (fail !== undefined) fail(error);
    else log.error({ actor: id, err: error, method }, THREW);
  }

  readonly #info: Handler = (context, message: unknown) => {
    const { id, definition, log } = this.#parts;
    const { info } = definition;
    if (info !== undefined) return info.call(definition, context, message);
    log.warn({ actor: id }, "the actor has no info handler");
    return undefined;
  };

  async #terminate(reason: ExitReason): Promise<void> {
    const { definition, ended } = this.#parts;
    this.state.busy = true;
    await new Promise<void>((ended) => this.streams.endAll(ended));
    if (this.state.ended) return;
    let last = reason;
    try {
      await definition.terminate?.(this.context, reason);
    } catch (error) {
      last = { kind: "error", error };
    }
    if (!this.state.ended) ended(last);
  }
}
