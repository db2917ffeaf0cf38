import { type ActorContext, type ActorDefinition, isIgnore, OTHERWISE } from "@mini-otp/worker-host";
import {
  ActorError,
  checkExitReason,
  describeExit,
  type ExitReason,
  isCleanExit,
  isReplyError,
  KILLED,
  NORMAL,
} from "@mini-otp/worker-host/protocol/errors";
import { ActorRef, isOutgoing, outgoing, type PoolRef, type RefOptions } from "@mini-otp/worker-host/protocol/refs";
import type { Logger } from "../reporting/logger.js";
import type { RestartType } from "../supervision/child.js";
import type { Clock } from "../supervision/clock.js";
import { recordFailure } from "../supervision/restart-intensity.js";
import { startError } from "../supervision/start-error.js";
import { type BondedActor, InlineBonds } from "./inline-bonds.js";
import { InlineCall } from "./inline-call.js";
import { createInlineContext } from "./inline-context.js";
import { InlineTimers } from "./inline-timers.js";
import {
  enterWorld,
  INLINE_ADDRESS,
  InlineSender,
  type InlineTarget,
  inlineTarget,
  isInline,
  leaveWorld,
  nextInlineUid,
  noproc,
} from "./inline-world.js";

export interface FullInlineOptions {
  readonly id: string;
  readonly name: string | undefined;
  readonly restart: RestartType;
  readonly intensity: number;
  readonly periodMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Message {
  /** Empty for `info`. */
  readonly method: string;
  readonly args: unknown[];
  readonly call?: InlineCall;
}

/**
 * An actor on the calling thread: the loop's order of work, and a supervisor of its own that restarts it at once, within
 * an intensity. What needs a thread is not there: heap caps, the watchdog, blocking calls.
 */
export class InlineActor implements InlineTarget {
  readonly uid = nextInlineUid();
  readonly id: string;
  readonly name: string | undefined;
  /** Resolves when it has ended and is not started again. */
  readonly exited: Promise<ExitReason>;
  incarnation = 0;
  context!: ActorContext<any>;
  handled = 0;
  readonly #definition: ActorDefinition;
  readonly #args: unknown;
  readonly #options: FullInlineOptions;
  readonly #sender = new InlineSender(this.uid);
  readonly #mailbox: Message[] = [];
  readonly #continuations: Message[] = [];
  readonly #timers: InlineTimers;
  readonly #unanswered = new Set<InlineCall>();
  readonly #bonds: InlineBonds;
  #failures: readonly number[] = [];
  #state: "starting" | "running" | "stopped" = "starting";
  #busy = false;
  #accepts = true;
  #stopping: ExitReason | undefined;
  #draining: ExitReason | undefined;
  #current: InlineCall | undefined;
  #givenUp = false;
  #signal: AbortController | undefined;
  #resolveExited!: (reason: ExitReason) => void;

  constructor(definition: ActorDefinition, args: unknown, options: FullInlineOptions) {
    this.#definition = definition;
    [this.#args] = this.#sender.copyArgs([args], undefined);
    this.#options = options;
    this.id = options.id;
    this.name = options.name;
    this.#timers = new InlineTimers(options.clock, (method, rest) => {
      this.#continuations.push({ method, args: rest });
      this.#pump();
    });
    this.#bonds = new InlineBonds(this.#bonded());
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    enterWorld(this);
  }

  get state(): "starting" | "running" | "stopped" {
    return this.#state;
  }

  /** Rejects when `init` fails. */
  async start(): Promise<void> {
    const outcome = await this.#begin();
    if (outcome === "started") return;
    this.#end(outcome === "ignored" ? NORMAL : outcome);
    if (outcome !== "ignored") throw startError(this.id, "worker", outcome);
  }

  call(method: string, args: unknown[], options: RefOptions): Promise<unknown> {
    if (!this.#accepts) return Promise.reject(noproc(this.id, "stopped or never restarted"));
    const call = new InlineCall(this.id, method, options, this.#options.clock, () => {
      if (this.#current !== call) return;
      this.#givenUp = true;
      this.#signal?.abort();
    });
    this.#unanswered.add(call);
    void call.outcome.then(
      () => this.#unanswered.delete(call),
      () => this.#unanswered.delete(call),
    );
    this.#mailbox.push({ method, args, call });
    this.#pump();
    return call.outcome;
  }

  accept(method: string, args: unknown[]): boolean {
    if (this.#accepts) this.#mailbox.push({ method, args });
    this.#pump();
    return this.#accepts;
  }

  acceptInfo(message: unknown): boolean {
    return this.accept("", [message]);
  }

  /** Handles what it has accepted, runs `terminate`, ends. */
  async stop(reason: ExitReason): Promise<ExitReason> {
    const checked = checkExitReason("stop", reason);
    this.#accepts = false;
    this.#draining ??= checked;
    this.#signal?.abort();
    this.#pump();
    return this.exited;
  }

  /** Ends this incarnation, whatever it is doing; the handler that runs is not waited for. */
  exit(given: ExitReason | "kill"): void {
    const reason = checkExitReason("exit", given, "kill");
    if (this.#state === "stopped") return;
    if (reason !== "kill" && this.#bonds.trapsExits) this.#bonds.signal({ type: "EXIT", id: this.id, reason });
    else if (reason === "kill" || reason.kind !== "normal") this.#died(reason === "kill" ? KILLED : reason);
    this.#pump();
  }

  stats(): unknown {
    return {
      state: this.#state === "stopped" ? "stopped" : "running",
      incarnation: this.incarnation,
      restarts: Math.max(0, this.incarnation - 1),
      mailbox: { length: this.#mailbox.length, handled: this.handled },
    };
  }

  async #begin(): Promise<"started" | "ignored" | ExitReason> {
    this.incarnation++;
    this.#state = "starting";
    this.#bonds.trapsExits = false;
    const { incarnation } = this;
    const context = this.#createContext();
    this.context = context;
    try {
      const state: unknown = await this.#definition.init?.(this.#args, context);
      if (this.incarnation !== incarnation) return "started";
      if (isIgnore(state)) return "ignored";
      context.state = state;
    } catch (error) {
      return { kind: "init_failed", error };
    }
    this.#state = "running";
    this.#pump();
    return "started";
  }

  /** Between two messages microtasks run, and a handler that is busy holds the next message back. */
  #pump(): void {
    if (this.#busy) return;
    this.#busy = true;
    const { incarnation } = this;
    queueMicrotask(async () => {
      while (this.incarnation === incarnation && this.#hasWork) await this.#step();
      if (this.incarnation === incarnation) this.#busy = false;
    });
  }

  get #hasWork(): boolean {
    const waits = this.#continuations.length + this.#bonds.waiting + this.#mailbox.length > 0;
    return this.#state === "running" && (waits || this.#stopping !== undefined || this.#draining !== undefined);
  }

  /** Does one thing. */
  async #step(): Promise<void> {
    if (this.#stopping !== undefined) return this.#terminate(this.#stopping);
    const message = this.#continuations.shift() ?? this.#nextSignal() ?? this.#mailbox.shift();
    if (message !== undefined) await this.#handle(message);
    else if (this.#draining !== undefined) await this.#terminate(this.#draining);
  }

  #nextSignal(): Message | undefined {
    return this.#bonds.waiting === 0 ? undefined : { method: "", args: [this.#bonds.next()] };
  }

  async #handle({ method, args, call }: Message): Promise<void> {
    if (call?.settled === true) return;
    const { incarnation } = this;
    const handler = method === "" ? this.#info : this.#handlerOf(method);
    if (handler === undefined) {
      const message = `id=${this.id} method=${method}: no such handler; it has: ${Object.keys(this.#definition.handlers).join(", ")}`;
      if (call !== undefined) call.fail(new ActorError("ERR_UNKNOWN_METHOD", message, { id: this.id, method }));
      else this.#options.log.warn({ actor: this.id, method }, "unknown method");
      return;
    }
    this.#current = call;
    this.#givenUp = false;
    this.#signal = undefined;
    try {
      const value: unknown = await handler(this.context, ...args);
      if (this.incarnation === incarnation && call?.deferred === false) this.#reply(call, value);
    } catch (error) {
      if (this.incarnation !== incarnation) return;
      if (isReplyError(error)) {
        if (call?.deferred === false) call.fail(error);
        else
          this.#options.log.warn({ actor: this.id, err: error }, "a ReplyError was thrown where no call waits for it");
      } else {
        this.#died({ kind: "error", error });
      }
    }
    if (this.incarnation === incarnation) this.handled++;
  }

  #handlerOf(method: string): ((ctx: ActorContext<any>, ...args: any[]) => unknown) | undefined {
    const { handlers, [OTHERWISE]: otherwise } = this.#definition;
    if (Object.hasOwn(handlers, method)) return handlers[method].bind(handlers);
    return otherwise === undefined ? undefined : (ctx, ...args) => otherwise(ctx, method, args);
  }

  readonly #info = (ctx: ActorContext<any>, ...[message]: any[]): unknown => {
    const { info } = this.#definition;
    if (info !== undefined) return info.call(this.#definition, ctx, message);
    this.#options.log.warn({ actor: this.id }, "the actor has no info handler");
    return undefined;
  };

  #reply(call: InlineCall, value: unknown): void {
    try {
      const out = isOutgoing(value) ? value : outgoing(value);
      const [copy] = this.#sender.copyArgs([out === undefined ? value : out.value], out?.transfer);
      call.settle(copy);
    } catch (error) {
      // The reply cannot be carried: that is the actor's mistake, not its caller's.
      call.fail(error as Error);
    }
  }

  async #terminate(reason: ExitReason): Promise<void> {
    const { incarnation } = this;
    let ended = reason;
    try {
      await this.#definition.terminate?.(this.context, reason);
    } catch (error) {
      ended = { kind: "error", error };
    }
    if (this.incarnation === incarnation && this.#state === "running") this.#died(ended);
  }

  /** This incarnation is over: who waits for it learns why, and it is started again if that is its way. */
  #died(reason: ExitReason): void {
    const waiting = new Set(this.#mailbox.map(({ call }) => call));
    for (const call of [...this.#unanswered]) {
      if (!waiting.has(call)) call.fail(this.#exitError(call, reason));
    }
    this.#timers.clear();
    this.#bonds.forget();
    this.#continuations.length = 0;
    this.#stopping = undefined;
    if (!isCleanExit(reason))
      this.#options.log.error({ actor: this.id, reason: describeExit(reason) }, "the actor ended");
    if (this.#isRestartedAfter(reason)) void this.#restart(reason);
    else this.#end(reason);
    this.#bonds.tell(reason);
  }

  #isRestartedAfter(reason: ExitReason): boolean {
    const { restart, clock, intensity, periodMs } = this.#options;
    if (this.#draining !== undefined || restart === "temporary" || (restart === "transient" && isCleanExit(reason))) {
      return false;
    }
    const { failures, restartAllowed } = recordFailure(this.#failures, clock.now(), { intensity, periodMs });
    this.#failures = failures;
    return restartAllowed;
  }

  async #restart(reason: ExitReason): Promise<void> {
    const outcome = await this.#begin();
    if (outcome === "started") {
      this.#busy = false;
      this.#pump();
    } else if (outcome === "ignored") {
      this.#end(NORMAL);
    } else if (this.#isRestartedAfter(reason)) {
      await this.#restart(outcome);
    } else {
      this.#end(outcome);
    }
  }

  /** It is not started again: nothing is accepted any more, and what waits is not answered. */
  #end(reason: ExitReason): void {
    this.#accepts = false;
    this.#state = "stopped";
    this.#mailbox.length = 0;
    leaveWorld(this);
    for (const call of [...this.#unanswered]) call.fail(this.#exitError(call, reason));
    this.#resolveExited(reason);
  }

  #exitError(call: InlineCall, reason: ExitReason): ActorError {
    const message = `id=${this.id} method=${call.method}: the actor exited before it replied: ${describeExit(reason)}`;
    return new ActorError("ERR_CALL_EXIT", message, { id: this.id, method: call.method, reason });
  }

  #ref(): ActorRef {
    return new ActorRef(this.#sender, INLINE_ADDRESS, this.uid, this.id);
  }

  #currentSignal(): AbortSignal {
    this.#signal ??= new AbortController();
    if (this.#givenUp || this.#draining !== undefined || this.#stopping !== undefined) this.#signal.abort();
    return this.#signal.signal;
  }

  #bonded(): BondedActor {
    const actor = this;
    return {
      id: this.id,
      get ref() {
        return actor.#ref();
      },
      get isStopped() {
        return actor.state === "stopped";
      },
      bondsOf(ref) {
        const target = inlineActor(ref);
        return target === undefined ? undefined : target.#bonds;
      },
      exit: (reason) => this.exit(reason),
      signalled: () => this.#pump(),
    };
  }

  #createContext(): ActorContext<any> {
    const actor = this;
    return createInlineContext({
      id: this.id,
      name: this.name,
      incarnation: this.incarnation,
      args: this.#args,
      ref: this.#ref(),
      sender: this.#sender,
      log: this.#options.log,
      bonds: this.#bonds,
      timers: this.#timers,
      get call() {
        return actor.#current;
      },
      get signal() {
        return actor.#currentSignal();
      },
      hasHandler: (method) => this.#handlerOf(method) !== undefined,
      reply: (call, value) => this.#reply(call, value),
      exitInline(ref, reason) {
        inlineActor(ref)?.exit(reason);
        // One that is gone must not be taken for an actor of a system.
        return isInline(ref);
      },
      stopAfterThis(reason) {
        actor.#stopping ??= reason;
        actor.#signal?.abort();
        actor.#pump();
      },
      continueWith(method, args) {
        actor.#continuations.push({ method, args });
        actor.#pump();
      },
    });
  }
}

function inlineActor(ref: ActorRef | PoolRef): InlineActor | undefined {
  const target = inlineTarget(ref);
  return target instanceof InlineActor ? target : undefined;
}
