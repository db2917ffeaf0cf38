import type { ActorContext, ActorDefinition } from "@mini-otp/worker-host";
import {
  checkExitReason,
  describeExit,
  type ExitReason,
  isCleanExit,
  KILLED,
  NORMAL,
} from "@mini-otp/worker-host/protocol/errors";
import type { Throws } from "@mini-otp/worker-host/protocol/options";
import { recordFailure } from "@mini-otp/worker-host/protocol/options";
import {
  ActorRef,
  type ActorStats,
  noStreams,
  type PoolRef,
  type RefOptions,
  type StreamReader,
} from "@mini-otp/worker-host/protocol/refs";
import type { Logger } from "../reporting/logger.js";
import type { RestartType } from "../supervision/child.js";
import type { Clock } from "../supervision/clock.js";
import { type Deferred, deferred } from "../supervision/deferred.js";
import { startError } from "../supervision/start-error.js";
import { InlineCalls } from "./inline-call.js";
import { InlineChildren } from "./inline-children.js";
import { InlineLoop } from "./inline-loop.js";
import { InlineMailbox } from "./inline-mailbox.js";
import type { InlineSiblings } from "./inline-siblings.js";
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
  /** For calls whose caller does not say. */
  readonly callTimeoutMs: number;
  readonly throws: Throws;
  /** Of a light actor. */
  readonly light?: { readonly siblings: InlineSiblings<InlineActor>; readonly handed: unknown } | undefined;
}

/**
 * An actor on the calling thread with a supervisor of its own, which restarts it at once, within an intensity. It has
 * nothing that needs a thread: no heap caps, no watchdog, no blocking calls.
 */
export class InlineActor implements InlineTarget {
  readonly uid = nextInlineUid();
  readonly id: string;
  readonly name: string | undefined;
  incarnation = 0;
  readonly #definition: ActorDefinition;
  readonly #args: unknown;
  readonly #options: FullInlineOptions;
  readonly sender: InlineSender;
  readonly #ref: ActorRef;
  readonly #mailbox = new InlineMailbox();
  readonly #calls: InlineCalls;
  readonly #children: InlineChildren<InlineActor>;
  #loop!: InlineLoop;
  #failures: readonly number[] = [];
  #stopped = false;
  #accepts = true;
  readonly #exited: Deferred<ExitReason> = deferred();

  constructor(definition: ActorDefinition, args: unknown, options: FullInlineOptions) {
    this.#definition = definition;
    this.#options = options;
    this.id = options.id;
    this.sender = new InlineSender(this.uid, options.light !== undefined);
    [this.#args] = this.sender.copyArgs([args], undefined, { id: this.id });
    this.name = options.name;
    this.#ref = this.#refTo(this);
    const { clock, callTimeoutMs } = options;
    this.#calls = new InlineCalls(this.id, this.sender, clock, callTimeoutMs, (call) => this.#loop.givenUp(call));
    this.#children = new InlineChildren<InlineActor>(
      this.id,
      (child, childArgs, { throws = child.throws ?? "crash", callTimeoutMs: ownMs = callTimeoutMs, ...spec }) =>
        new InlineActor(child, childArgs, { ...options, ...spec, callTimeoutMs: ownMs, throws }),
      (reason) => this.#died(reason),
    );
    enterWorld(this);
  }

  /** Resolves when the actor has ended and is not restarted. */
  get exited(): Promise<ExitReason> {
    return this.#exited.promise;
  }

  /** The light actors that share its thread. */
  get siblings(): readonly InlineActor[] {
    return this.#options.light?.siblings.all.filter((sibling) => sibling !== this) ?? [];
  }

  /** The context of the current incarnation. */
  get context(): ActorContext<any> {
    return this.#loop.context;
  }

  /** From the end of `init` to the end of `terminate`. */
  get running(): boolean {
    return this.#loop.initialised && !this.#stopped;
  }

  /** Rejects when `init` fails. */
  async start(): Promise<void> {
    const outcome = await this.#begin();
    if (outcome === "started") return;
    this.#end(outcome === "ignored" ? NORMAL : outcome);
    if (outcome !== "ignored")
      throw startError(this.id, "worker", outcome, this.#args === undefined ? "it was given no args" : undefined);
  }

  /** Begins its first life after the code that runs now. An `init` that fails is an exit. */
  launch(): void {
    const loop = this.#nextLife();
    queueMicrotask(() => {
      // It may have been told to exit meanwhile.
      if (!loop.state.ended) void loop.start().then((outcome) => this.#launched(outcome));
    });
  }

  #launched(outcome: "started" | "ignored" | ExitReason): void {
    if (outcome !== "started") this.#died(outcome === "ignored" ? NORMAL : outcome);
  }

  call(method: string, args: unknown[], options: RefOptions, from: InlineSender): Promise<unknown> {
    if (!this.#accepts) return Promise.reject(noproc(this.id, method, "stopped or never restarted"));
    const call = this.#calls.open(method, options, from.codec);
    this.#mailbox.push({ method, args, call });
    this.#loop.schedule();
    return call.outcome;
  }

  openStream(method: string, args: unknown[], options: RefOptions, reader: StreamReader, from: InlineSender): void {
    if (!this.#accepts) throw noproc(this.id, method, "stopped or never restarted");
    if (this.#options.light !== undefined) throw noStreams(this.id, method);
    const call = this.#calls.open(method, options, from.codec, reader);
    // The reader hears of it.
    call.outcome.catch(() => {});
    if (call.settled) return;
    reader.linked({
      grant: (items, bytes) => this.#loop.granted(call, items, bytes),
      closed: (_outcome, isCancelled) => {
        call.settle(undefined);
        if (isCancelled) this.#loop.givenUp(call);
      },
    });
    this.#mailbox.push({ method, args, call });
    this.#loop.schedule();
  }

  accept(method: string, args: unknown[]): boolean {
    if (this.#accepts) this.#mailbox.push({ method, args });
    this.#loop.schedule();
    return this.#accepts;
  }

  acceptInfo(message: unknown): boolean {
    return this.accept("", [message]);
  }

  /** Handles the accepted messages, runs `terminate`, ends. */
  async stop(reason: ExitReason): Promise<ExitReason> {
    const checked = checkExitReason("stop", reason);
    const loop = this.#loop;
    this.#accepts = false;
    if (!this.#children.isEmpty) await this.#children.end();
    loop.state.draining ??= checked;
    loop.call.stop();
    loop.schedule();
    return this.exited;
  }

  /** Ends this incarnation, whatever it does, without waiting for a handler that runs. */
  exit(given: ExitReason | "kill"): void {
    const reason = checkExitReason("exit", given, "kill");
    if (this.#stopped) return;
    const { bonds } = this.#loop;
    if (reason !== "kill" && bonds.trapsExits) bonds.signal({ type: "EXIT", id: this.id, reason });
    else if (reason === "kill" || reason.kind !== "normal") this.#died(reason === "kill" ? KILLED : reason);
  }

  /** Without a thread and memory of its own there is nothing to measure: those numbers are 0. */
  stats(): ActorStats {
    const { length, handled } = this.#mailbox;
    const mailbox = { length, handled, enqueued: length + handled, bytes: 0, dropped: 0, blockedMs: 0, oldestAgeMs: 0 };
    return {
      state: this.#stopped ? "stopped" : "running",
      incarnation: this.incarnation,
      restarts: Math.max(0, this.incarnation - 1),
      mailbox: { ...mailbox, capacity: Infinity, capacityBytes: Infinity },
      heapUsedMb: 0,
      heapCapMb: Infinity,
      offHeapMb: 0,
      silentMs: 0,
      cpuMs: 0,
      streams: this.#loop.streamStats,
      handling: null,
      latency: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
    };
  }

  #begin(): Promise<"started" | "ignored" | ExitReason> {
    return this.#nextLife().start();
  }

  #nextLife(): InlineLoop {
    this.incarnation++;
    this.#loop = this.#createLoop();
    return this.#loop;
  }

  /** This incarnation is over: its callers and the actors bound to it get the reason, and its restart type decides. */
  #died(reason: ExitReason): void {
    const loop = this.#loop;
    const isRestarted = this.#isRestartedAfter(reason);
    loop.end();
    this.sender.cancelStreams();
    this.#calls.exited(reason, this.#mailbox.calls());
    if (!isCleanExit(reason))
      this.#options.log.error({ actor: this.id, reason: describeExit(reason) }, "the actor ended");
    if (!this.#children.isEmpty) {
      void this.#children.end().then(() => (isRestarted ? this.#restart() : this.#end(reason)));
    } else if (isRestarted) void this.#restart();
    else this.#end(reason);
    loop.bonds.tell(reason);
  }

  #isRestartedAfter(reason: ExitReason): boolean {
    const { restart, clock, intensity, periodMs } = this.#options;
    const { state, initialised } = this.#loop;
    // A light actor whose first life does not begin is its starter's to see.
    const isUnborn = this.#options.light !== undefined && this.incarnation === 1 && !initialised;
    const isOver = state.draining !== undefined || restart === "temporary" || isUnborn;
    if (isOver || (restart === "transient" && isCleanExit(reason))) return false;
    const { failures, restartAllowed } = recordFailure(this.#failures, clock.now(), { intensity, periodMs });
    this.#failures = failures;
    return restartAllowed;
  }

  async #restart(): Promise<void> {
    const outcome = await this.#begin();
    if (outcome === "ignored") this.#end(NORMAL);
    else if (outcome !== "started") this.#died(outcome);
  }

  /** The actor is not restarted: it accepts no more messages, and waiting calls fail. */
  #end(reason: ExitReason): void {
    this.#accepts = false;
    this.#stopped = true;
    this.#loop.end();
    this.#mailbox.clear();
    leaveWorld(this);
    this.#calls.exited(reason, new Set());
    this.#exited.resolve(reason);
  }

  #refTo({ uid, id }: InlineActor): ActorRef {
    return new ActorRef(this.sender, INLINE_ADDRESS, uid, id);
  }

  #createLoop(): InlineLoop {
    const { clock, log, throws, light } = this.#options;
    return new InlineLoop({
      id: this.id,
      name: this.name,
      incarnation: this.incarnation,
      definition: this.#definition,
      args: this.#args,
      ref: this.#ref,
      sender: this.sender,
      mailbox: this.#mailbox,
      calls: this.#calls,
      clock,
      log,
      throws,
      light: light && {
        handed: light.handed,
        spawn: (spec, hand) => light.siblings.spawn(spec, hand, (sibling) => this.#refTo(sibling)),
      },
      accept: (method, args) => this.accept(method, args),
      bondsOf(ref) {
        const target = inlineActor(ref);
        return target === undefined ? undefined : target.#loop.bonds;
      },
      exitInline(ref, reason) {
        inlineActor(ref)?.exit(reason);
        // A stopped inline actor must not be taken for an actor of a system.
        return isInline(ref);
      },
      exit: (reason) => this.exit(reason),
      startChild: async (spec) => this.#refTo(await this.#children.start(spec)),
      ended: (reason) => this.#died(reason),
    });
  }
}

function inlineActor(ref: ActorRef | PoolRef): InlineActor | undefined {
  const target = inlineTarget(ref);
  return target instanceof InlineActor ? target : undefined;
}
