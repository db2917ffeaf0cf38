/*
 * Longer than other files: it is one object's whole interface to its supervisor, to users and to its partitions.
 */
import { ActorError, type ExitReason, invalidOption, isActorError } from "@mini-otp/worker-host/protocol/errors";
import {
  CELL_ACCEPTED,
  CELL_BYTES,
  CELL_CAPACITY,
  CELL_CAPACITY_BYTES,
  CELL_TAKEN,
  CELL_WATCHED,
  CELL_WORDS,
  cellAddress,
  cellOf,
  closeTable,
  FIRST_CELL,
  formatTable,
  generationOf,
  MAX_CELLS,
  segmentOfCell,
  TABLE_MEMBERS,
  tableBytes,
  uidOfGeneration,
  writePolicy,
} from "@mini-otp/worker-host/protocol/memory";
import { anId, integer, oneOf, takeArgument, takeOptions, text } from "@mini-otp/worker-host/protocol/options";
import {
  type MemberItem,
  type MemberSpec,
  type MembersNews,
  type PartitionArgs,
  partitionUrl,
  type StartedMembers,
} from "@mini-otp/worker-host/protocol/port";
import { ActorRef, type ActorStats } from "@mini-otp/worker-host/protocol/refs";
import { decodeReason } from "@mini-otp/worker-host/protocol/values";
import type { ActorChild } from "../actor/actor-child.js";
import type { Slots } from "../mailbox/slots.js";
import type { DeadLetters } from "../messaging/dead-letters.js";
import type { MainOutbox } from "../messaging/main-outbox.js";
import type { Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";
import type { ChildCounts, ChildInfo } from "../supervision/administration.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import type { ChildSpec, FullActorSpec, FullMemberSpec, FullPartitionedSpec } from "../supervision/child-spec.js";
import { normaliseMember, normaliseSpec } from "../supervision/normalise-spec.js";
import type {
  MemberInfo,
  MemberStart,
  MembersPage,
  PartitionedSupervisorRef,
  PartitionInfo,
} from "../supervision/partitioned-ref.js";
import { invalidSpec, readSpec } from "../supervision/spec-fields.js";
import { startError } from "../supervision/start-error.js";
import type { TreeEnvironment } from "../supervision/supervision-loop.js";
import { SupervisorProcess } from "../supervision/supervisor-process.js";
import type { SupervisorRef } from "../supervision/supervisor-ref.js";
import { moduleCandidates } from "../threads/actor-module.js";
import { EndsReport } from "./ends-report.js";
import { isLightReference, keyOf, type LightActors, type LightOwner, type LightTarget } from "./light-actors.js";
import { PartitionSlot } from "./partition-slot.js";
import { leastLoaded, partitionOf } from "./placement.js";

/** What it needs of its system. */
export interface PartitionsHost {
  readonly slots: Slots;
  readonly outbox: MainOutbox;
  readonly events: Events;
  readonly logger: Logger;
  readonly deadLetters: DeadLetters;
  readonly lights: LightActors;
  find(ref: ActorRef): ActorChild | undefined;
  /** A light actor that was watched has ended: tells those that watch it. */
  lightEnded(key: string, light: LightTarget, reason: ExitReason): void;
}

/** Starts in one message. */
const STARTS_A_MESSAGE = 512;
/** The partition's ring: all its members' messages pass it, and wait on its heap, not here. */
const RING_MESSAGES = 2 ** 20;
const RING_BYTES = 4 * 2 ** 20;
/** A partition loads its modules and starts what there is one of in each. */
const START_TIMEOUT_MS = 30_000;
const MAX_LIMIT = 1_000;

type Full = FullPartitionedSpec & { readonly template: Partial<ChildSpec> };

interface Start {
  readonly spec: FullMemberSpec;
  readonly partition: PartitionSlot;
  readonly index: number;
}

/**
 * A dynamic supervisor whose children share threads: a one_for_one supervisor of its partitions, each an actor with a
 * thread of its own, and on main a list of who is where.
 */
export class PartitionedSupervisor implements Child<PartitionedSupervisorRef>, LightOwner {
  readonly type = "supervisor";
  readonly ref: PartitionedSupervisorRef;
  readonly id: string;
  readonly #spec: Full;
  readonly #host: PartitionsHost;
  readonly #tree: TreeEnvironment;
  readonly #process: SupervisorProcess;
  readonly #partitions: PartitionSlot[];
  readonly #report: EndsReport;
  /** Ids that are being started. */
  readonly #starting = new Set<string>();
  readonly #watched = new Map<string, LightTarget>();
  #common: FullMemberSpec | undefined;
  #turn = 0;
  #lastNumber = 0;
  #running = false;
  #disposed = false;

  constructor(spec: FullPartitionedSpec, path: string, tree: TreeEnvironment, host: PartitionsHost, onExit: OnExit) {
    this.#spec = spec as Full;
    this.id = path;
    this.#host = host;
    this.#tree = tree;
    this.#report = new EndsReport(path, host.events, host.logger);
    const cells = Math.min(MAX_CELLS, FIRST_CELL + spec.perThread.length + Math.min(spec.maxChildren, MAX_CELLS));
    this.#partitions = Array.from({ length: spec.threads.count }, (_, index) => {
      const { segment, words } = host.slots.allocateTable(tableBytes(cells));
      host.lights.add(segment, this);
      return new PartitionSlot(index, segment, words);
    });
    const supervisor = this;
    const plan = {
      path,
      flags: {
        strategy: "one_for_one",
        intensity: spec.intensity,
        periodMs: spec.periodMs,
        autoShutdown: "never",
        dynamic: true,
        maxChildren: Infinity,
      } as const,
      get children() {
        return supervisor.#declared();
      },
      admit: (child: unknown) => child as FullActorSpec,
    };
    this.#process = new SupervisorProcess(plan, this.#watching(), (reason) => {
      this.#running = false;
      onExit(reason);
    });
    this.ref = this.#reference(this.#process.ref);
  }

  async start(incarnation: number): Promise<StartOutcome<PartitionedSupervisorRef>> {
    const outcome = await this.#process.start(incarnation);
    this.#running = outcome.kind === "started";
    return outcome.kind === "started" ? { kind: "started", ref: this.ref } : (outcome as StartOutcome<never>);
  }

  async stop(request: StopRequest): Promise<StopOutcome> {
    this.#running = false;
    const outcome = await this.#process.stop(request);
    for (const partition of this.#partitions) this.#emptied(partition, outcome.reason, undefined);
    this.#report.tell();
    return outcome;
  }

  park(reason: ExitReason): void {
    this.#running = false;
    this.#process.park(reason);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#running = false;
    this.#process.dispose();
    this.#report.tell();
    for (const { segment, words } of this.#partitions) {
      closeTable(words);
      this.#host.lights.remove(segment);
      this.#host.slots.releaseTable(segment);
    }
  }

  // --- light actors, for signals and stats ---

  resolve(target: LightTarget): LightTarget | undefined {
    const partition = this.#partitionAt(target.address);
    if (partition === undefined) return undefined;
    if (cellOf(target.address) !== 0) return partition.lives(target) ? target : undefined;
    const member = partition.members.get(target.id.slice(this.id.length + 1));
    return member !== undefined && partition.lives(member) ? member : undefined;
  }

  watch(target: LightTarget): boolean {
    const partition = this.#partitionAt(target.address) as PartitionSlot;
    Atomics.store(partition.words, cellOf(target.address) * CELL_WORDS + CELL_WATCHED, 1);
    // After the flag: a member that ends from now on sees it.
    if (!partition.lives(target)) return false;
    this.#watched.set(keyOf(target), target);
    return true;
  }

  exit(target: LightTarget, reason: ExitReason | "kill"): void {
    const partition = this.#partitionAt(target.address) as PartitionSlot;
    const ref = this.#refOf(partition);
    void ref?.cast("members.exit", cellOf(target.address), generationOf(target.uid), reason as never).catch(() => {});
  }

  stats(target: LightTarget): ActorStats | undefined {
    const { words } = this.#partitionAt(target.address) as PartitionSlot;
    const at = cellOf(target.address) * CELL_WORDS;
    const partition = this.#partitionAt(target.address) as PartitionSlot;
    const thread = this.#host.find(this.#refOf(partition) as ActorRef)?.guardStats;
    const length = partition.queueOf(target);
    return {
      state: "running",
      incarnation: 1,
      restarts: 0,
      mailbox: {
        length,
        bytes: Math.max(0, words[at + CELL_BYTES]),
        capacity: words[at + CELL_CAPACITY],
        capacityBytes: words[at + CELL_CAPACITY_BYTES],
        enqueued: words[at + CELL_ACCEPTED] >>> 0,
        handled: words[at + CELL_TAKEN] >>> 0,
        dropped: 0,
        blockedMs: 0,
        oldestAgeMs: 0,
      },
      heapUsedMb: 0,
      heapCapMb: this.#spec.threads.heapCapMb,
      offHeapMb: 0,
      silentMs: thread?.silentMs ?? 0,
      cpuMs: 0,
      handling: null,
      streams: { open: 0, items: 0 },
      latency: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
    };
  }

  // --- partitions ---

  /** The tree, in which the end of a partition is the end of its members before its supervisor acts. */
  #watching(): TreeEnvironment {
    const tree = this.#tree;
    return {
      clock: tree.clock,
      random: () => tree.random(),
      report: (report, budget) => tree.report(report, budget),
      failed: (id, error) => tree.failed(id, error),
      isStopping: () => tree.isStopping(),
      createChild: (spec, path, onExit) => {
        const partition = this.#partitions[Number(spec.id)];
        const child = tree.createChild(spec, path, (reason) => {
          this.#ended(partition, reason);
          onExit(reason);
        }) as ActorChild;
        child.onNews = (news) => this.#heard(partition, news);
        child.within = () => ({ length: partition.queued, bytes: partition.queuedBytes });
        formatTable(partition.words, child.slot, this.#spec.threads.queueBytes);
        return child;
      },
    };
  }

  #declared(): FullActorSpec[] {
    const { threads, template, perThread, intensity, periodMs } = this.#spec;
    const { handlerTimeoutMs, callTimeoutMs, shutdown } = template as Partial<FullActorSpec>;
    const common = this.#commonSpec();
    return this.#partitions.map(({ index, segment }) => {
      const args: PartitionArgs = {
        supervisor: this.id,
        segment,
        template: common,
        perThread: perThread.map((member) => ({
          id: `${member.id}@${index}`,
          args: member.args,
          spec: memberSpec(member),
        })),
        intensity,
        periodMs,
      };
      const spec: ChildSpec = {
        id: String(index),
        actor: partitionUrl(),
        args,
        heapCapMb: threads.heapCapMb,
        offHeapCapMb: threads.offHeapCapMb,
        startTimeoutMs: START_TIMEOUT_MS,
        mailbox: {
          capacity: RING_MESSAGES,
          capacityBytes: Math.min(RING_BYTES, Math.max(65_536, threads.queueBytes)),
          overflow: "block",
          onRestart: "drop",
        },
        ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
        ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
        ...(shutdown === undefined ? {} : { shutdown }),
      };
      return normaliseSpec(spec, this.id) as FullActorSpec;
    });
  }

  /** What `ctx.spawn` starts: the template, when it names an actor. */
  #commonSpec(): MemberSpec | undefined {
    const { template } = this.#spec;
    if ((template as Partial<FullActorSpec>).actor === undefined) return undefined;
    return memberSpec(normaliseMember(this.id, template, { id: "template" } as ChildSpec));
  }

  #partitionAt(address: number): PartitionSlot | undefined {
    const segment = segmentOfCell(address);
    return this.#partitions.find((partition) => partition.segment === segment);
  }

  #refOf({ index }: PartitionSlot): ActorRef | undefined {
    return this.#process.ref.child(String(index)) as ActorRef | undefined;
  }

  /** The thread of a partition has ended, and with it all its members. */
  #ended(partition: PartitionSlot, reason: ExitReason): void {
    const culprit = partition.current;
    const queued = this.#emptied(partition, reason, culprit);
    this.#host.deadLetters.addMany(`${this.id}/${partition.index}`, "", "queued", queued, reason);
  }

  /** No member of it lives. Tells of each, the culprit with the reason itself. Returns how many messages were lost. */
  #emptied(
    partition: PartitionSlot,
    reason: ExitReason,
    culprit: { readonly address: number; readonly uid: number } | undefined,
  ): number {
    const { members } = partition;
    const queued = closeTable(partition.words);
    const isOrdered = reason.kind === "shutdown" || reason.kind === "normal";
    const others: ExitReason = isOrdered ? reason : { kind: "partition_ended", reason };
    const counts: Record<string, number> = {};
    const lost = [...members.values()];
    members.clear();
    const reasonOf = ({ address, uid }: LightTarget): ExitReason =>
      culprit?.address === address && culprit.uid === uid ? reason : others;
    for (const member of lost) {
      const { kind } = reasonOf(member);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    for (const [kind, count] of Object.entries(counts)) partition.count(kind, count);
    this.#report.add(counts);
    for (const target of [...this.#watched.values()]) {
      if (segmentOfCell(target.address) === partition.segment) this.#tellEnd(target, reasonOf(target));
    }
    return queued;
  }

  #heard(partition: PartitionSlot, news: MembersNews): void {
    const { members } = partition;
    for (const [id, address, uid] of news.spawned) members.set(id, { id: `${this.id}/${id}`, address, uid });
    for (const [id, cell, generation] of news.gone) {
      const member = members.get(id);
      if (member !== undefined && cellOf(member.address) === cell && member.uid === uidOfGeneration(generation)) {
        members.delete(id);
      }
    }
    const { codec } = this.#host.outbox;
    for (const [kind, count] of Object.entries(news.ended)) partition.count(kind, count);
    const { sample } = news;
    this.#report.add(
      news.ended,
      sample === undefined ? undefined : { id: sample.id, reason: decodeReason(codec, sample.reason) },
    );
    const { deadLetters } = this.#host;
    deadLetters.addMany(this.id, news.method, "queued", news.queued);
    deadLetters.addMany(this.id, news.method, "dropped", news.dropped);
    for (const [address, uid, id, reason] of news.watched) {
      this.#tellEnd({ address, uid, id }, decodeReason(codec, reason));
    }
  }

  #tellEnd(target: LightTarget, reason: ExitReason): void {
    const key = keyOf(target);
    if (this.#watched.delete(key)) this.#host.lightEnded(key, target, reason);
  }

  // --- starts ---

  #prepare(given: MemberStart): Start {
    const { sameThreadAs, ...rest } = readSpec(given ?? {}, this.id) as MemberStart;
    const spec = this.#full(rest as Partial<FullActorSpec>);
    const present = this.#find(spec.id);
    if (present !== undefined || this.#starting.has(spec.id)) {
      const path = `${this.id}/${spec.id}`;
      const ref = present === undefined ? {} : { ref: this.#toRef(present) };
      throw new ActorError("ERR_ALREADY_STARTED", `${path} is running already`, { id: path, ...ref });
    }
    if (this.#loads().reduce((sum, load) => sum + load, 0) - this.#perThreadCount() >= this.#spec.maxChildren) {
      const path = `${this.id}/${spec.id}`;
      throw new ActorError("ERR_MAX_CHILDREN", `${path} would be one child more than maxChildren`, { id: path });
    }
    const partition = this.#place(spec.id, sameThreadAs);
    partition.starting++;
    this.#starting.add(spec.id);
    return { spec, partition, index: 0 };
  }

  /** Checks a spec. One that says no more than an id and arguments has all else of the template, checked once. */
  #full({ id = this.#freeId(), ...more }: Partial<FullActorSpec>): FullMemberSpec {
    const { template } = this.#spec;
    const names = Object.keys(more);
    const isPlain = names.length === 0 || (names.length === 1 && names[0] === "args");
    if (!isPlain || !("actor" in template)) return normaliseMember(this.id, template, { ...more, id } as ChildSpec);
    if (anId.take(id) !== id) throw invalidSpec(this.id, "id", id, anId.allowed);
    this.#common ??= normaliseMember(this.id, template, { id } as ChildSpec);
    // The arguments are encoded before this call returns, so they need no copy.
    return { ...this.#common, id, args: more.args === undefined ? this.#common.args : more.args };
  }

  #perThreadCount(): number {
    return this.#spec.perThread.length * this.#partitions.length;
  }

  #loads(): number[] {
    return this.#partitions.map(({ load }) => load);
  }

  #place(id: string, sibling: unknown): PartitionSlot {
    if (sibling !== undefined) return this.#partitionOfSibling(id, sibling);
    const partitions = this.#partitions;
    switch (this.#spec.threads.place) {
      case "hash":
        return partitions[partitionOf(id, partitions.length)];
      case "round_robin":
        return partitions[this.#turn++ % partitions.length];
      case "least_loaded":
        return partitions[leastLoaded(this.#turn++ % partitions.length, this.#loads())];
    }
  }

  #partitionOfSibling(id: string, sibling: unknown): PartitionSlot {
    const path = `${this.id}/${id}`;
    if (this.#spec.threads.place === "hash") {
      throw invalidSpec(path, "sameThreadAs", sibling, 'nothing with place "hash": the id says where the child is');
    }
    const partition = isLightReference(sibling) ? this.#partitionAt(sibling.address) : undefined;
    if (partition !== undefined) return partition;
    throw invalidSpec(path, "sameThreadAs", sibling, "a reference to a light actor of this supervisor");
  }

  async #startAll(specs: readonly MemberStart[]): Promise<PromiseSettledResult<ActorRef>[]> {
    const results: PromiseSettledResult<ActorRef>[] = new Array(specs.length);
    const batches = new Map<
      string,
      { readonly partition: PartitionSlot; readonly spec: FullMemberSpec; starts: Start[] }
    >();
    const sent: Promise<void>[] = [];
    const keys = new Map<object, number>();
    specs.forEach((given, index) => {
      let start: Start;
      try {
        this.#requireRunning();
        start = { ...this.#prepare(given), index };
      } catch (reason) {
        results[index] = { status: "rejected", reason };
        return;
      }
      // Those of the same partition and the same options go together.
      const key = `${start.partition.index} ${this.#keyOf(given, keys)}`;
      const batch = batches.get(key) ?? { partition: start.partition, spec: start.spec, starts: [] };
      batches.set(key, batch);
      batch.starts.push(start);
      if (batch.starts.length < STARTS_A_MESSAGE) return;
      batches.delete(key);
      sent.push(this.#send(batch.partition, batch.spec, batch.starts, results));
    });
    for (const { partition, spec, starts } of batches.values()) sent.push(this.#send(partition, spec, starts, results));
    await Promise.all(sent);
    return results;
  }

  /** Specs that give only an id and arguments have the template's options; others are taken one by one. */
  #keyOf(given: MemberStart, keys: Map<object, number>): number {
    const isPlain = Object.keys(given ?? {}).every((key) => key === "id" || key === "args" || key === "sameThreadAs");
    if (isPlain) return 0;
    keys.set(given, keys.size + 1);
    return keys.size;
  }

  async #send(
    partition: PartitionSlot,
    spec: FullMemberSpec,
    starts: readonly Start[],
    results: PromiseSettledResult<ActorRef>[],
  ): Promise<void> {
    const items: MemberItem[] = starts.map(({ spec: { id, args } }) => [id, args]);
    const reject = (index: number, reason: unknown): void => {
      results[index] = { status: "rejected", reason };
    };
    try {
      const to = this.#refOf(partition)?.with({ timeoutMs: Infinity });
      if (to === undefined) throw this.#notRunning();
      const started = (await to.call("members.start", memberSpec(spec), items as never)) as StartedMembers;
      const failures = new Map(started.failures);
      starts.forEach(({ index, spec: { id } }, i) => {
        const failure = failures.get(i);
        if (failure !== undefined) {
          reject(index, this.#startFailed(id, decodeReason(this.#host.outbox.codec, failure)));
          return;
        }
        const member = { id: `${this.id}/${id}`, address: started.addresses[i], uid: started.uids[i] };
        // It may have ended since: then its end has been told, or is on its way, and must not be listed after.
        if (partition.lives(member)) partition.members.set(id, member);
        results[index] = { status: "fulfilled", value: this.#toRef(member) };
      });
    } catch (error) {
      if (starts.length > 1 && isActorError(error, "ERR_NOT_CLONEABLE")) {
        // One of them has arguments that no message can carry: the others start.
        partition.starting += starts.length;
        await Promise.all(starts.map((start) => this.#send(partition, spec, [start], results)));
        return;
      }
      for (const { index } of starts) reject(index, this.#tree.isStopping() ? this.#notRunning() : error);
    } finally {
      partition.starting -= starts.length;
      for (const start of starts) this.#starting.delete(start.spec.id);
    }
  }

  #startFailed(id: string, reason: ExitReason): unknown {
    const error = "error" in reason ? reason.error : undefined;
    if (isActorError(error, "ERR_ALREADY_STARTED") || isActorError(error, "ERR_MAX_CHILDREN")) return error;
    return startError(`${this.id}/${id}`, "worker", reason);
  }

  #freeId(): string {
    let id: string;
    const prefix = (this.#spec.template as { id?: string }).id ?? "child";
    do id = `${prefix}-${++this.#lastNumber}`;
    while (this.#find(id) !== undefined || this.#starting.has(id));
    return id;
  }

  #find(id: string): LightTarget | undefined {
    for (const partition of this.#partitions) {
      const member = partition.members.get(id);
      if (member === undefined) continue;
      if (partition.lives(member)) return member;
      // Its end has not been told yet.
      partition.members.delete(id);
    }
    return undefined;
  }

  #toRef({ address, uid, id }: LightTarget): ActorRef {
    return new ActorRef(this.#host.outbox, address, uid, id);
  }

  #requireRunning(): void {
    if (!this.#running || this.#tree.isStopping()) throw this.#notRunning();
  }

  #notRunning(): ActorError {
    const { id } = this;
    return this.#tree.isStopping()
      ? new ActorError("ERR_SYSTEM_STOPPED", `${id}: the system is stopping or has stopped`, { id })
      : new ActorError("ERR_NOPROC", `${id}: this supervisor is not running`, { id });
  }

  // --- the reference ---

  #reference(process: SupervisorRef): PartitionedSupervisorRef {
    const one = async (spec: MemberStart = {}): Promise<ActorRef> => {
      const [result] = await this.#startAll([spec]);
      if (result.status === "rejected") throw result.reason;
      return result.value;
    };
    return {
      id: process.id,
      flags: process.flags,
      startChild: one as PartitionedSupervisorRef["startChild"],
      startChildren: ((specs: readonly MemberStart[]) =>
        this.#startMany(specs)) as PartitionedSupervisorRef["startChildren"],
      refOf: ((id: string) => this.#byId(id)) as PartitionedSupervisorRef["refOf"],
      child: ((id: string) => {
        const found = this.#find(takeArgument("child", "id", id, text));
        return found === undefined ? undefined : this.#toRef(found);
      }) as PartitionedSupervisorRef["child"],
      terminateChild: (id) => this.#terminate(id),
      restartChild: (id) => this.#refuse("restartChild", id),
      deleteChild: (id) => this.#refuse("deleteChild", id),
      whichChildren: () => this.#children(),
      countChildren: () => this.#count(),
      recentRestarts: () => process.recentRestarts(),
      partitions: () => this.#partitions.map((partition) => this.#info(partition)),
      members: (options = {}) => this.#page(options),
    };
  }

  async #startMany(specs: readonly MemberStart[]): Promise<ActorRef[]> {
    if (!Array.isArray(specs)) {
      const facts = { function: "startChildren", field: "specs", value: specs, allowed: "a list of specs" };
      throw invalidOption(`startChildren: specs is ${typeof specs}, must be a list of specs`, facts);
    }
    const results = await this.#startAll(specs);
    const failed = results.filter((result) => result.status === "rejected");
    if (failed.length > 0) {
      const errors = failed.map(({ reason }) => reason as unknown);
      const message = `${this.id}: ${failed.length} of ${specs.length} children did not start`;
      throw new AggregateError(errors, message, { cause: errors[0] });
    }
    return results.map((result) => (result as PromiseFulfilledResult<ActorRef>).value);
  }

  #byId(id: string): ActorRef {
    takeArgument("refOf", "id", id, anId);
    const { place } = this.#spec.threads;
    if (place !== "hash") {
      const allowed = 'threads.place "hash"';
      const facts = { function: "refOf", field: "place", value: place, allowed };
      throw invalidOption(`refOf: ${this.id} has place="${place}", must be ${allowed}; child(id) finds others`, facts);
    }
    const { segment } = this.#partitions[partitionOf(id, this.#partitions.length)];
    return new ActorRef(this.#host.outbox, cellAddress(segment, 0), uidOfGeneration(0), `${this.id}/${id}`);
  }

  async #terminate(id: string): Promise<void> {
    takeArgument("terminateChild", "id", id, text);
    this.#requireRunning();
    const member = this.#find(id);
    if (member === undefined) throw this.#notFound(id);
    const partition = this.#partitionAt(member.address) as PartitionSlot;
    const { shutdown = 5_000 } = this.#spec.template as Partial<FullActorSpec>;
    const limitMs = shutdown === "brutal_kill" ? -1 : shutdown === "infinity" ? Infinity : shutdown;
    try {
      const to = this.#refOf(partition)?.with({ timeoutMs: Infinity });
      await to?.call("members.stop", id, generationOf(member.uid) as never, limitMs as never);
    } catch (error) {
      // With its thread it has ended too.
      if (!isActorError(error, "ERR_CALL_EXIT") && !isActorError(error, "ERR_NOPROC")) throw error;
    }
    if (partition.members.get(id) === member) partition.members.delete(id);
  }

  async #refuse(call: string, id: string): Promise<never> {
    takeArgument(call, "id", id, text);
    this.#requireRunning();
    if (this.#find(id) === undefined) throw this.#notFound(id);
    const path = `${this.id}/${id}`;
    throw new ActorError("ERR_RUNNING", `${path} is running`, { id: path });
  }

  #notFound(id: string): ActorError {
    const path = `${this.id}/${id}`;
    return new ActorError("ERR_NOT_FOUND", `${path} does not exist`, { id: path });
  }

  #children(): ChildInfo[] {
    return this.#partitions
      .flatMap((partition) => [...partition.members].filter(([, member]) => partition.lives(member)))
      .map(
        ([id, member]) =>
          ({ id, type: "worker", state: "running", restart: "temporary", ref: this.#toRef(member) }) as const,
      )
      .reverse();
  }

  #count(): ChildCounts {
    const workers = this.#partitions.reduce((sum, { words }) => sum + membersIn(words), 0);
    return { specs: workers, active: workers, supervisors: 0, workers };
  }

  #info(partition: PartitionSlot): PartitionInfo {
    const { index, words, queued, queuedBytes, ended } = partition;
    return {
      id: `${this.id}/${index}`,
      ref: this.#refOf(partition) as ActorRef,
      members: membersIn(words),
      queued,
      queuedBytes,
      ended: { ...ended },
    };
  }

  #page(options: MembersPage = {}): MemberInfo[] {
    const fields = {
      partition: integer([0, this.#partitions.length - 1]),
      sort: oneOf("id", "queue"),
      after: text,
      limit: integer([1, MAX_LIMIT]),
    };
    const { partition = 0, sort = "id", after, limit = 100 } = takeOptions("members", options, fields);
    const slot = this.#partitions[partition];
    const all = [...slot.members].filter(([, member]) => slot.lives(member));
    const rows = all.map(([id, member]) => ({ id, member, queued: slot.queueOf(member) }));
    rows.sort((a, b) => (sort === "queue" && a.queued !== b.queued ? b.queued - a.queued : a.id < b.id ? -1 : 1));
    const from = after === undefined ? 0 : rows.findIndex(({ id }) => id === after) + 1;
    return rows.slice(from, from + limit).map(({ id, member, queued }) => ({ id, queued, ref: this.#toRef(member) }));
  }
}

function membersIn(words: Int32Array): number {
  return words[TABLE_MEMBERS];
}

function memberSpec({ actor, handlerTimeoutMs, startTimeoutMs, throws, mailbox }: FullMemberSpec): MemberSpec {
  return {
    modules: moduleCandidates(actor),
    handlerTimeoutMs,
    startTimeoutMs,
    throws,
    capacity: mailbox.capacity,
    capacityBytes: mailbox.capacityBytes,
    policy: writePolicy(mailbox.overflow, mailbox.blockTimeoutMs),
  };
}
