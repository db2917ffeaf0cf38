import type { ActorContext, ActorLog, DeferredReply } from "../actor/context.js";
import type { Emitter, SpawnSpec } from "../actor/light-context.js";
import { requireHandler } from "../loop/handler-table.js";
import { blocks, lifeEnded, ownThreadOnly } from "../loop/light-refusals.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { checkExitReason, NORMAL } from "../protocol/errors/exit-reason.js";
import { aFunction, aNumber, checkDelay, checkPeriod, flag, takeArgument, text } from "../protocol/options/fields.js";
import type { ActorRef } from "../protocol/refs/actor-ref.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";
import { type Cell, ENDED } from "./cell.js";
import type { MemberLinks } from "./member-links.js";

/** What a light actor's context asks of its partition. */
export interface ContextHost {
  refTo(cell: Cell): ActorRef;
  logOf(cell: Cell): ActorLog;
  signalOf(cell: Cell): AbortSignal;
  lookup(name: string): Promise<ActorRef | undefined>;
  monitor(cell: Cell, ref: ActorRef | PoolRef): number;
  demonitor(cell: Cell, monitor: number): void;
  readonly links: Pick<MemberLinks, "link" | "unlink" | "exit">;
  addTimer(cell: Cell, delayMs: number, everyMs: number, method: string, args: unknown[]): number;
  defer(cell: Cell): DeferredReply;
  stop(cell: Cell, reason: ExitReason): void;
  continueWith(cell: Cell, method: string, args: unknown[]): void;
  spawn(spec: SpawnSpec, hand: unknown): ActorRef<any>;
  event(cell: Cell, method: string, args: unknown[]): void;
}

/**
 * The context of a light actor. Once its life has ended every method throws ERR_NOPROC: code of it that still runs
 * cannot be stopped, but it does nothing more.
 */
export class MemberContext implements ActorContext<any> {
  state: any = undefined;
  readonly #host: ContextHost;
  readonly #cell: Cell;

  constructor(host: ContextHost, cell: Cell) {
    this.#host = host;
    this.#cell = cell;
  }

  get id(): string {
    return this.#cell.id;
  }

  get name(): undefined {
    return undefined;
  }

  get incarnation(): number {
    return this.#cell.incarnation;
  }

  get args(): any {
    return this.#cell.args;
  }

  get self(): ActorRef {
    return this.#host.refTo(this.#cell);
  }

  get log(): ActorLog {
    return this.#host.logOf(this.#cell);
  }

  get signal(): AbortSignal {
    return this.#host.signalOf(this.#cell);
  }

  get handed(): any {
    return this.#cell.extras?.handed;
  }

  whereis(): never {
    throw blocks(this.id, "ctx.whereis", "await ctx.lookup(name)");
  }

  lookup(name: string): Promise<any> {
    this.#living();
    return this.#host.lookup(takeArgument("ctx.lookup", "name", name, text));
  }

  monitor(ref: ActorRef | PoolRef): number {
    return this.#host.monitor(this.#living(), ref);
  }

  demonitor(monitor: number): void {
    takeArgument("ctx.demonitor", "monitor", monitor, aNumber);
    this.#host.demonitor(this.#living(), monitor);
  }

  link(ref: ActorRef | PoolRef): void {
    this.#host.links.link(this.#living(), ref);
  }

  unlink(ref: ActorRef | PoolRef): void {
    this.#host.links.unlink(this.#living(), ref);
  }

  trapExit(trap: boolean): void {
    takeArgument("ctx.trapExit", "trap", trap, flag);
    this.#living().more.trapsExits = trap;
  }

  exit(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): void {
    this.#host.links.exit(this.#living(), ref, checkExitReason("ctx.exit", reason, "kill"));
  }

  sendAfter(delayMs: number, method: string, ...args: unknown[]): number {
    checkDelay("sendAfter", delayMs);
    return this.#timer(delayMs, 0, method, args);
  }

  sendInterval(periodMs: number, method: string, ...args: unknown[]): number {
    checkPeriod("sendInterval", periodMs);
    return this.#timer(periodMs, periodMs, method, args);
  }

  cancelTimer(id: number): boolean {
    const cancel = this.#cell.extras?.timers.get(id);
    this.#cell.extras?.timers.delete(id);
    cancel?.();
    return cancel !== undefined;
  }

  deferReply(): DeferredReply<any> {
    return this.#host.defer(this.#living());
  }

  stop(reason: ExitReason = NORMAL): void {
    this.#host.stop(this.#living(), checkExitReason("ctx.stop", reason));
  }

  continueWith(method: string, ...args: unknown[]): void {
    this.#host.continueWith(this.#withHandler(method), method, args);
  }

  startChild(): Promise<never> {
    return Promise.reject(ownThreadOnly(this.id, "ctx.startChild"));
  }

  spawn(spec: SpawnSpec = {}, options: { readonly hand?: unknown } = {}): any {
    this.#living();
    return this.#host.spawn(spec, options.hand);
  }

  own<T>(thing: T, dispose: (thing: T) => void): T {
    takeArgument("ctx.own", "dispose", dispose, aFunction);
    this.#living().more.owned.push({ thing, dispose });
    return thing;
  }

  on(emitter: Emitter, event: string | symbol, method: string): () => void {
    const cell = this.#withHandler(method);
    const listener = (...args: unknown[]): void => this.#host.event(cell, method, args);
    emitter.on(event, listener);
    const release = (): void => {
      cell.extras?.releases.delete(release);
      emitter.off(event, listener);
    };
    cell.more.releases.add(release);
    return release;
  }

  #timer(delayMs: number, everyMs: number, method: string, args: unknown[]): number {
    return this.#host.addTimer(this.#withHandler(method), delayMs, everyMs, method, args);
  }

  #withHandler(method: string): Cell {
    const cell = this.#living();
    requireHandler(cell.id, cell.type.definition.handlers, method);
    return cell;
  }

  #living(): Cell {
    const cell = this.#cell;
    if (cell.phase === ENDED) throw lifeEnded(cell.id);
    return cell;
  }
}
