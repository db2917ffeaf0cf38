import type { ActorContext } from "../actor/context.js";
import { type ActorDefinition, defineActor } from "../actor/define-actor.js";
import type { ActorOutbox, OutboxParts } from "../loop/actor-outbox.js";
import type { LoopHost } from "../loop/loop-host.js";
import type { Microtasks } from "../loop/microtasks.js";
import type { Self } from "../protocol/calls/peers.js";
import { describe } from "../protocol/errors/describe.js";
import { ActorError } from "../protocol/errors/errors.js";
import { type ExitReason, KILLED, SHUTDOWN } from "../protocol/errors/exit-reason.js";
import type { NameTable } from "../protocol/memory/name-table.js";
import type { Producer } from "../protocol/memory/ring-lock.js";
import type { Segments } from "../protocol/memory/segments.js";
import { recordFailure } from "../protocol/options/restart-intensity.js";
import type { MemberItem, PartitionArgs, StartedMembers, UpgradedMembers } from "../protocol/port/partition.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import { Attribution } from "./attribution.js";
import { type Cell, ENDED, type StartedMember } from "./cell.js";
import { type LoadDefinition, MemberModules, moduleKey } from "./member-modules.js";
import type { MemberSpec } from "./member-type.js";
import { News } from "./news.js";
import { Partition } from "./partition.js";
import { PartitionOutbox } from "./partition-outbox.js";

/** A thread whose actor is a partition: what main asks of it, it does for its members. */
export class PartitionThread {
  readonly definition: ActorDefinition<any, any, any>;
  readonly #modules: MemberModules;
  readonly #attribution = new Attribution<Cell>((cell, error) => this.#threw(cell, error));
  #outbox: PartitionOutbox | undefined;
  #segments: Segments | undefined;
  #microtasks: Microtasks | undefined;
  #host: LoopHost | undefined;
  #key: string | undefined;
  #template: MemberSpec | undefined;
  #partition: Partition | undefined;

  constructor(load: LoadDefinition, names: NameTable) {
    this.#modules = new MemberModules(load, names);
    this.definition = this.#define();
  }

  outbox(self: Self, segments: Segments, names: NameTable, producer: Producer, parts: OutboxParts): ActorOutbox {
    this.#outbox = new PartitionOutbox(self, segments, names, producer, parts);
    this.#segments = segments;
    return this.#outbox;
  }

  /** The loop's host, with this partition's members; they exist once `init` runs. */
  hosting(host: Omit<LoopHost, "members">, microtasks: Microtasks): LoopHost {
    this.#microtasks = microtasks;
    let schedule: () => void = () => {};
    this.#host = {
      ...host,
      members: {
        nextDue: () => this.#partition?.nextDue() ?? Infinity,
        wakeBy: (wake, freeze) => {
          schedule = wake;
          this.#freeze = freeze;
        },
        work: () => this.#work(),
        isLate: () => this.#partition?.isLate() ?? false,
        receive: (...message) => this.#partition?.receive(...message),
        isOfMain: (args) => this.#key !== undefined && args.shift() === this.#key,
        asked: (request) => {
          if (this.#partition !== undefined) return this.#partition.asked(request);
          const { id } = request.member;
          throw new ActorError("ERR_NOPROC", `id=${id}: the actor is not running`, { id });
        },
        trace: (request) => this.#partition?.trace(request),
        cancelled: (uid, correlation) => this.#partition?.cancelled(uid, correlation) ?? false,
      },
    };
    this.#wake = () => schedule();
    return this.#host;
  }

  #wake: () => void = () => {};
  #freeze: () => void = () => {};
  #news: News | undefined;
  #isSilent = false;
  #shouldSpeak: { readonly weigh: boolean } | undefined;

  #work(): number {
    if (this.#shouldSpeak !== undefined) this.lastWords(true, this.#shouldSpeak.weigh);
    return this.#isSilent ? 0 : (this.#partition?.work() ?? 0);
  }

  /**
   * Tells main what the next thread needs, once; from then on no message is handled here. Without `force` it waits for a
   * moment when the partition's own code is not half way, unless a member's code runs: then it is not. Returns whether
   * it has spoken. `weigh`: it ends over its memory.
   */
  readonly lastWords = (force: boolean, weigh = false): string => {
    const partition = this.#partition;
    if (partition === undefined || this.#isSilent) return "spoken";
    if (!force && !partition.lastWords.isInMember) {
      this.#shouldSpeak = { weigh };
      this.#wake();
      return "later";
    }
    this.#isSilent = true;
    this.#freeze();
    this.#news?.flush();
    this.#outbox?.post(partition.lastWords.write(weigh ? partition.weights.heaviest() : undefined));
    partition.late = (cell, waiting) => this.#outbox?.post(partition.lastWords.late(cell, waiting));
    return "spoken";
  };

  #define(): ActorDefinition<any, any, any> {
    return defineActor({
      init: (args: PartitionArgs, ctx: ActorContext<any>) => this.#init(args, ctx),
      handlers: {
        "members.start": (ctx: ActorContext<any>, spec: MemberSpec, items: readonly MemberItem[]) => {
          const deferred = ctx.deferReply();
          this.#start(spec, items).then(
            (started) => deferred.reply(started),
            (error: Error) => deferred.fail(error),
          );
        },
        "members.stop": (ctx: ActorContext<any>, id: string, generation: number, shutdownMs: number) => {
          const deferred = ctx.deferReply();
          this.#stop(id, generation, shutdownMs, () => deferred.reply());
        },
        "members.upgrade": (ctx: ActorContext<any>, of: string, modules: readonly string[], timeoutMs: number) => {
          const deferred = ctx.deferReply();
          this.#upgrade(of, modules, timeoutMs).then(
            (upgraded) => deferred.reply(upgraded),
            (error: Error) => deferred.fail(error),
          );
        },
      },
      info: (_ctx: ActorContext<any>, message: any) => {
        if (message?.type === "DOWN") this.#partition?.monitors.down(message);
        else if (message?.type === "members.signal") this.#partition?.links.arrived(message);
        else if (message?.type === "members.weigh") this.#partition?.weights.weigh();
      },
      terminate: (_ctx: ActorContext<any>, reason: ExitReason) => this.#drain(reason),
    }) as ActorDefinition<any, any, any>;
  }

  async #init(args: PartitionArgs, context: ActorContext<any>): Promise<object> {
    this.#key = args.key;
    const outbox = this.#outbox as PartitionOutbox;
    const table = this.#segments?.table(args.segment) as Int32Array;
    const host = this.#host as LoopHost;
    this.#attribution.install();
    process.on("unhandledRejection", (error, promise) => this.#unhandled(error, promise));
    const news = new News(outbox.codec, (told) => outbox.post(told));
    this.#news = news;
    const partition = new Partition({
      supervisor: args.supervisor,
      segment: args.segment,
      table,
      outbox,
      context,
      microtasks: this.#microtasks as Microtasks,
      log: host.log,
      news,
      attribution: this.#attribution,
      restarts: { intensity: args.intensity, periodMs: args.periodMs },
      caps: args.caps,
      unhandled: (method, detail, id) => host.unhandled(method, detail, id),
    });
    this.#partition = partition;
    partition.wakeBy(this.#wake);
    for (const [of, modules] of args.upgraded) this.#modules.upgraded(of, modules);
    this.#template = args.template;
    const heirs = await partition.inherit(args.inherited, (spec) => this.#modules.typeFor(spec));
    if (args.template !== undefined) partition.template = await this.#modules.typeFor(args.template);
    await this.#startPerThread(partition, args);
    // After this `init`, whose time is main's to limit: then the watchdog finds the member that does not return.
    partition.wake(heirs);
    return {};
  }

  /** They are started again when they end, up to `intensity` times within `periodMs`; then the partition ends. */
  async #startPerThread(partition: Partition, { perThread, intensity, periodMs }: PartitionArgs): Promise<void> {
    let ends: readonly number[] = [];
    for (const { id, args, spec } of perThread) {
      const type = await this.#modules.typeFor(spec);
      const failed = await new Promise<StartedMember>((settle) => {
        partition.lives.begin(partition.lives.create(type, id, args, undefined, settle));
      });
      if (failed.kind === "failed") throw errorOf(failed.reason);
      const cell = partition.roster.byName(id);
      if (cell !== undefined) this.#report(cell);
    }
    const kept = new Map(perThread.map((member) => [member.id, member]));
    partition.lives.onEnd = (cell, reason) => {
      const member = kept.get(cell.name);
      if (member === undefined || cell.draining !== undefined) return;
      const { failures, restartAllowed } = recordFailure(ends, performance.now(), { intensity, periodMs });
      ends = failures;
      if (!restartAllowed) {
        this.#host?.exit(reason.kind === "normal" ? SHUTDOWN : reason);
        return;
      }
      queueMicrotask(() => {
        const next = partition.lives.create(cell.type, member.id, cell.args);
        this.#report(next);
        partition.lives.begin(next);
      });
    };
  }

  #report(cell: Cell): void {
    const partition = this.#partition as Partition;
    this.#news?.spawned(cell, partition.roster.addressOf(cell), partition.roster.uidOf(cell));
    this.#news?.flush();
  }

  async #start(spec: MemberSpec, items: readonly MemberItem[]): Promise<StartedMembers> {
    const partition = this.#partition as Partition;
    const type = this.#modules.known(spec) ?? (await this.#modules.typeFor(spec));
    const started: StartedMembers = { addresses: [], uids: [], failures: [] };
    const { addresses, uids, failures } = started as { addresses: number[]; uids: number[]; failures: unknown[] };
    const open: Promise<void>[] = [];
    items.forEach(([id, args], index) => {
      let outcome: StartedMember | undefined;
      let settle: (() => void) | undefined;
      let cell: Cell | undefined;
      const failed = (reason: ExitReason): void => {
        failures.push([index, encodeForeign(this.#codec, reason)]);
      };
      try {
        cell = partition.lives.create(type, id, args, undefined, (ended) => {
          outcome = ended;
          if (ended.kind === "failed") failed(ended.reason);
          else if (ended.kind === "started" && cell?.kept) this.#news?.kept(cell);
          settle?.();
        });
        addresses.push(partition.roster.addressOf(cell));
        uids.push(partition.roster.uidOf(cell));
        partition.lives.begin(cell);
        if (outcome === undefined) {
          open.push(
            new Promise((resolve) => {
              settle = resolve;
            }),
          );
        }
      } catch (error) {
        addresses.push(0);
        uids.push(0);
        failed({ kind: "init_failed", error });
      }
    });
    if (open.length > 0) await Promise.all(open);
    // Main has heard of those that are started again before it hears that they have started.
    this.#news?.flush();
    return started;
  }

  #stop(id: string, generation: number, shutdownMs: number, done: () => void): void {
    const partition = this.#partition as Partition;
    const cell = partition.roster.byName(id);
    if (cell === undefined || (generation !== 0 && cell.generation !== generation)) {
      done();
      return;
    }
    const timer =
      shutdownMs === Infinity
        ? undefined
        : setTimeout(() => partition.lives.end(cell, KILLED), Math.max(0, shutdownMs));
    cell.more.watchers.add(() => {
      clearTimeout(timer);
      done();
    });
    if (shutdownMs < 0) partition.lives.dismiss(cell, KILLED);
    else partition.lives.drain(cell, SHUTDOWN);
  }

  /** All members at once. Main ends the thread when that takes too long. */
  async #drain(reason: ExitReason): Promise<void> {
    const partition = this.#partition;
    if (partition === undefined) return;
    partition.lives.onEnd = () => {};
    const ended = Promise.all(
      [...partition.roster.cells].map(
        (cell) =>
          new Promise<void>((ended) => {
            cell.more.watchers.add(() => ended());
            partition.lives.drain(cell, reason);
            if (cell.phase === ENDED) ended();
          }),
      ),
    );
    // From here on each member has its own time for this, and main its time for all.
    partition.draining();
    await ended;
  }

  /**
   * Gives the members whose specs name the modules `of` the code of other modules, and so all that are started later. When it
   * fails none has changed.
   */
  async #upgrade(of: string, modules: readonly string[], timeoutMs: number): Promise<UpgradedMembers> {
    const partition = this.#partition as Partition;
    const { definition, fromVersion, typeFor, use } = await this.#modules.replacement(of, modules);
    // From here on what is started has the new code: none is left over when all that there are have changed.
    const takeBack = use();
    this.#setTemplate(partition);
    try {
      const upgraded = await partition.upgrades.run(({ spec }) => moduleKey(spec) === of, {
        definition,
        fromVersion,
        timeoutMs,
        typeFor: (former) => typeFor(former.spec),
      });
      return { ...upgraded, fromVersion, version: definition.version };
    } catch (error) {
      takeBack();
      this.#setTemplate(partition);
      throw error;
    }
  }

  /** What members spawn has the code that is now their template's. */
  #setTemplate(partition: Partition): void {
    const type = this.#template && this.#modules.known(this.#template);
    if (type !== undefined) partition.template = type;
  }

  get #codec(): PartitionOutbox["codec"] {
    return (this.#outbox as PartitionOutbox).codec;
  }

  #threw(cell: Cell, error: unknown): void {
    if (cell.phase !== ENDED) this.#partition?.lives.end(cell, { kind: "error", error });
    else this.#host?.log.warn({ err: error, member: cell.name }, "an actor that has ended threw");
  }

  #unhandled(error: unknown, promise: object): void {
    const owner = this.#attribution.ownerOf(promise);
    if (owner === undefined) this.#host?.exit({ kind: "error", error });
    else this.#threw(owner, error);
  }
}

function errorOf(reason: ExitReason): Error {
  if ("error" in reason && reason.error instanceof Error) return reason.error;
  return new ActorError("ERR_INIT_FAILED", describe(reason), { id: "", reason });
}
