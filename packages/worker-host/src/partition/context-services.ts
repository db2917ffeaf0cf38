import type { ActorLog, DeferredReply } from "../actor/context.js";
import type { SpawnSpec } from "../actor/light-context.js";
import { handedOnce } from "../loop/light-refusals.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { RESTART_TEMPORARY, RESTART_TYPES } from "../protocol/memory/cells.js";
import { oneOf, takeArgument } from "../protocol/options/fields.js";
import type { ActorRef } from "../protocol/refs/actor-ref.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";
import { PUSHED } from "../protocol/ring/ring-writer.js";
import { type Cell, ENDED, Waiting } from "./cell.js";
import type { Line } from "./line.js";
import type { Lives } from "./lives.js";
import { copyOne } from "./local-copy.js";
import type { Mailboxes } from "./mailboxes.js";
import type { ContextHost } from "./member-context.js";
import type { MemberLinks } from "./member-links.js";
import type { MemberMonitors } from "./member-monitors.js";
import type { MemberTimers } from "./member-timers.js";
import type { MemberType } from "./member-type.js";
import { logOf, type PartitionParts } from "./parts.js";
import type { Roster } from "./roster.js";

type RestartType = (typeof RESTART_TYPES)[number];
const aRestart = oneOf("permanent", "transient", "temporary");

export interface ContextParts {
  readonly roster: Roster;
  readonly line: Line;
  readonly lives: Lives;
  readonly mailboxes: Mailboxes;
  readonly timers: MemberTimers;
  readonly monitors: MemberMonitors;
  readonly links: MemberLinks;
}

/** What members ask by their contexts. */
export class ContextServices implements ContextHost {
  #template: MemberType | undefined;
  readonly #partition: PartitionParts;
  readonly #parts: ContextParts;
  /** Of another restart than the template's. */
  readonly #templates = new Map<number, MemberType>();
  #lastName = 0;

  constructor(partition: PartitionParts, parts: ContextParts) {
    this.#partition = partition;
    this.#parts = parts;
  }

  /** What `ctx.spawn` starts from now on. */
  spawns(template: MemberType): void {
    this.#template = template;
    this.#templates.clear();
  }

  refTo(cell: Cell): ActorRef {
    return this.#parts.roster.refTo(cell);
  }

  logOf(cell: Cell): ActorLog {
    return logOf(this.#partition, cell);
  }

  signalOf(cell: Cell): AbortSignal {
    const { more } = cell;
    if (more.signal === undefined) {
      more.signal = new AbortController();
      if (cell.phase === ENDED || cell.stopping !== undefined || cell.draining !== undefined) more.signal.abort();
    }
    return more.signal.signal;
  }

  lookup(name: string): Promise<ActorRef | undefined> {
    return this.#partition.outbox.lookup(name);
  }

  monitor(cell: Cell, ref: ActorRef | PoolRef): number {
    return this.#parts.monitors.add(cell, ref);
  }

  demonitor(cell: Cell, monitor: number): void {
    this.#parts.monitors.remove(cell, monitor);
  }

  get links(): MemberLinks {
    return this.#parts.links;
  }

  addTimer(cell: Cell, delayMs: number, everyMs: number, method: string, args: unknown[]): number {
    return this.#parts.timers.add(cell, delayMs, everyMs, method, args);
  }

  defer(cell: Cell): DeferredReply {
    const { caller } = cell;
    if (caller === undefined) throw new TypeError("deferReply: the message being handled is not a call");
    cell.isDeferred = true;
    const { deferred } = cell.more;
    deferred.add(caller);
    return {
      reply: (value) => {
        if (deferred.delete(caller)) caller.succeed(value);
      },
      fail: (error) => {
        if (deferred.delete(caller)) caller.fail(error);
      },
    };
  }

  stop(cell: Cell, reason: ExitReason): void {
    this.#parts.lives.stop(cell, reason);
  }

  continueWith(cell: Cell, method: string, args: unknown[]): void {
    cell.more.continuations.push({ method, args });
    this.#parts.line.wake(cell);
  }

  spawn({ id, args, restart }: SpawnSpec, hand: unknown): ActorRef {
    const template = this.#templateFor(restart);
    if (hand !== undefined && template.spec.restart !== RESTART_TEMPORARY) throw handedOnce("ctx.spawn", hand);
    const { roster, lives, line } = this.#parts;
    const given = args === undefined ? undefined : copyOne(args, "args");
    const cell = lives.create(template, id ?? this.#freeName(), given, hand);
    if (cell.kept) this.#partition.news.kept(cell);
    this.#partition.news.spawned(cell, roster.addressOf(cell), roster.uidOf(cell));
    line.wake(cell);
    return roster.refTo(cell);
  }

  #templateFor(restart: unknown): MemberType {
    const template = this.#template;
    if (template === undefined) throw new TypeError("ctx.spawn: the supervisor's template names no actor");
    if (restart === undefined) return template;
    const kind = RESTART_TYPES.indexOf(takeArgument("ctx.spawn", "restart", restart as RestartType, aRestart));
    if (kind === template.spec.restart) return template;
    let type = this.#templates.get(kind);
    if (type === undefined) {
      type = { ...template, spec: { ...template.spec, restart: kind } };
      this.#templates.set(kind, type);
    }
    return type;
  }

  /** An emitter's event: counted as a message, its arguments as they are. */
  event(cell: Cell, method: string, args: unknown[]): void {
    const bytes = args.reduce<number>((sum, arg) => sum + (ArrayBuffer.isView(arg) ? arg.byteLength : 8), 0);
    const waiting = new Waiting(method, args, bytes, undefined, false);
    const { mailboxes } = this.#parts;
    if (mailboxes.offer(cell, waiting) !== PUSHED && cell.phase !== ENDED) mailboxes.dropped(cell, method);
  }

  #freeName(): string {
    let name: string;
    do name = `child-${this.#partition.context.id.split("/").at(-1)}-${++this.#lastName}`;
    while (this.#parts.roster.byName(name) !== undefined);
    return name;
  }
}
