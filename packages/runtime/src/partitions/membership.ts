import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  acceptedIn,
  CELL_BYTES,
  CELL_CAPACITY,
  CELL_CAPACITY_BYTES,
  CELL_DROPPED,
  CELL_INCARNATION,
  CELL_SUSPENDED,
  CELL_TAKEN,
  CELL_WORDS,
  cellAddress,
  cellOf,
  closeTable,
  generationOf,
  segmentOfCell,
  TABLE_QUEUED,
  uidOfGeneration,
  wantEnd,
} from "@mini-otp/worker-host/protocol/memory";
import type {
  Inheritance,
  LastWords,
  MemberLife,
  MemberSignal,
  MembersNews,
  ToActor,
  ToMain,
} from "@mini-otp/worker-host/protocol/port";
import { ActorRef, type ActorStats } from "@mini-otp/worker-host/protocol/refs";
import { decodeReason, encodeForeign } from "@mini-otp/worker-host/protocol/values";
import type { ActorChild } from "../actor/actor-child.js";
import { ActorTraces } from "../introspection/actor-traces.js";
import { lightName } from "../signals/light-name.js";
import type { Source } from "../signals/process-signals.js";
import { prepareToAsk } from "./ask-last-words.js";
import { EndsReport } from "./ends-report.js";
import type { Asking, LightLife, LightOwner, LightTarget } from "./light-actors.js";
import type { PartitionSlot } from "./partition-slot.js";
import type { PartitionedSpec } from "./partition-specs.js";
import type { PartitionsHost } from "./partitions-host.js";
import { Quarantine } from "./quarantine.js";

type Culprit = Pick<LightTarget, "address" | "uid">;

/** Who lives in which partition of a supervisor, as far as main has heard, and whose ends it has to tell. */
export class Membership implements LightOwner {
  readonly partitions: readonly PartitionSlot[];
  readonly #id: string;
  readonly #host: PartitionsHost;
  readonly #heapCapMb: number;
  /** The reference to a partition itself; undefined while it has none. */
  readonly #refOf: (partition: PartitionSlot) => ActorRef | undefined;
  readonly #report: EndsReport;
  readonly #quarantine: Quarantine;
  readonly #watched = new Map<string, LightLife>();
  /** By `traceName`, of those that are or were traced and live. */
  readonly #traces = new Map<string, ActorTraces>();

  constructor(
    id: string,
    partitions: readonly PartitionSlot[],
    { threads: { heapCapMb }, intensity, periodMs }: PartitionedSpec,
    host: PartitionsHost,
    refOf: (partition: PartitionSlot) => ActorRef | undefined,
  ) {
    this.#id = id;
    this.partitions = partitions;
    this.#heapCapMb = heapCapMb;
    this.#host = host;
    this.#refOf = refOf;
    this.#quarantine = new Quarantine({ intensity, periodMs });
    this.#report = new EndsReport(id, host.events, host.logger);
  }

  /** The partition of a member that has this address; undefined for another supervisor's. */
  partitionAt(address: number): PartitionSlot | undefined {
    const segment = segmentOfCell(address);
    return this.partitions.find((partition) => partition.segment === segment);
  }

  find(id: string): LightTarget | undefined {
    for (const partition of this.partitions) {
      const member = partition.members.get(id);
      if (member === undefined) continue;
      if (partition.lives(member)) return member;
      // Its end has not been told yet.
      partition.members.delete(id);
    }
    return undefined;
  }

  toRef({ address, uid, id }: LightTarget): ActorRef {
    return new ActorRef(this.#host.outbox, address, uid, id);
  }

  // --- for signals and stats ---

  resolve(target: LightTarget): LightLife | undefined {
    const partition = this.partitionAt(target.address);
    const isMeantById = cellOf(target.address) === 0;
    const member = isMeantById ? partition?.members.get(target.id.slice(this.#id.length + 1)) : target;
    if (partition === undefined || member === undefined || !partition.lives(member)) return undefined;
    const life = partition.lifeOf(member);
    return target.life === undefined || target.life === life ? { ...member, life } : undefined;
  }

  watch(target: LightLife): boolean {
    const partition = this.partitionAt(target.address) as PartitionSlot;
    wantEnd(partition.words, cellOf(target.address) * CELL_WORDS, target.life);
    // Afterwards: a life that ends from now on sees what is wanted.
    if (!partition.lives(target) || partition.lifeOf(target) !== target.life) return false;
    this.#watched.set(lightName(target), target);
    return true;
  }

  expect(life: LightLife): void {
    this.#watched.set(lightName(life), life);
  }

  exit(target: LightTarget, { id, ref }: Source, reason: ExitReason | "kill", fatal?: ExitReason): void {
    const { codec } = this.#host.outbox;
    const signal: MemberSignal = {
      type: "members.signal",
      cell: cellOf(target.address),
      generation: generationOf(target.uid),
      life: target.life,
      source: { id, ref },
      reason: reason === "kill" ? reason : encodeForeign(codec, reason),
      ...(fatal === undefined ? {} : { fatal: encodeForeign(codec, fatal) }),
    };
    this.#actorOf(this.partitionAt(target.address) as PartitionSlot)?.info(signal);
  }

  stats(target: LightTarget): ActorStats | undefined {
    const partition = this.partitionAt(target.address) as PartitionSlot;
    const { words } = partition;
    const at = cellOf(target.address) * CELL_WORDS;
    const thread = this.#actorOf(partition)?.guardStats;
    const incarnation = words[at + CELL_INCARNATION];
    return {
      state: words[at + CELL_SUSPENDED] === 0 ? "running" : "suspended",
      incarnation,
      restarts: incarnation - 1,
      mailbox: {
        length: partition.queueOf(target),
        bytes: Math.max(0, words[at + CELL_BYTES]),
        capacity: words[at + CELL_CAPACITY],
        capacityBytes: words[at + CELL_CAPACITY_BYTES],
        enqueued: acceptedIn(words, at),
        handled: words[at + CELL_TAKEN] >>> 0,
        dropped: words[at + CELL_DROPPED],
        blockedMs: 0,
        oldestAgeMs: 0,
      },
      heapUsedMb: 0,
      heapCapMb: this.#heapCapMb,
      offHeapMb: 0,
      silentMs: thread?.silentMs ?? 0,
      cpuMs: 0,
      handling: null,
      streams: { open: 0, items: 0 },
      latency: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
    };
  }

  introspection(target: LightTarget): Asking | undefined {
    const asked = this.#actorOf(this.partitionAt(target.address) as PartitionSlot)?.introspection;
    if (asked === undefined) return undefined;
    const member = lifeOf(target);
    return {
      suspend: (timeoutMs) => asked.suspend(timeoutMs, member),
      resume: (timeoutMs) => asked.resume(timeoutMs, member),
      getState: (timeoutMs) => asked.getState(timeoutMs, member),
      replaceState: (state, timeoutMs) => asked.replaceState(state, timeoutMs, member),
    };
  }

  traces(target: LightLife): ActorTraces | undefined {
    // Its end is told, and with it the traces end.
    if (!this.watch(target)) return undefined;
    const name = traceName(target);
    let traces = this.#traces.get(name);
    if (traces === undefined) {
      const partition = this.partitionAt(target.address) as PartitionSlot;
      const member = lifeOf(target);
      traces = new ActorTraces((message) => this.#actorOf(partition)?.post({ ...message, member } as ToActor));
      this.#traces.set(name, traces);
    }
    return traces;
  }

  traced(partition: PartitionSlot, message: Extract<ToMain, { type: "traced" }>): void {
    const { id, cell, generation } = message.member as MemberLife;
    const target = { id, address: cellAddress(partition.segment, cell), uid: uidOfGeneration(generation) };
    const incarnation = partition.words[cell * CELL_WORDS + CELL_INCARNATION];
    this.#traces.get(traceName(target))?.add(id, incarnation, message);
  }

  /** The actor that a partition is to its supervisor. */
  #actorOf(partition: PartitionSlot): ActorChild | undefined {
    const ref = this.#refOf(partition);
    return ref === undefined ? undefined : this.#host.find(ref);
  }

  // --- ends ---

  /** The thread of a partition has ended, and with it all its members. */
  threadEnded(partition: PartitionSlot, reason: ExitReason): void {
    const { survivors } = partition;
    const culprit = partition.culprit(reason);
    partition.threadEnded();
    const isQuarantined = culprit !== undefined && this.#charge(partition, culprit, reason);
    const lost = survivors.threadEnded(reason);
    this.#ended(partition, reason, culprit, isQuarantined ? 1 : 0);
    this.#host.deadLetters.addMany(`${this.#id}/${partition.index}`, "", "queued", lost, reason);
  }

  /** True when the culprit is not started again. */
  #charge({ survivors }: PartitionSlot, culprit: Culprit, reason: ExitReason): boolean {
    const name = survivors.nameOf(cellOf(culprit.address), generationOf(culprit.uid));
    if (name === undefined) return false;
    const id = `${this.#id}/${name}`;
    const at = performance.now();
    const { ends, isKept } = this.#quarantine.charge(id, at);
    if (isKept) return false;
    survivors.delete(name);
    const { periodMs } = this.#quarantine;
    const { logger, events } = this.#host;
    logger.error(
      { actor: id, ends, periodMs, reason: reason.kind },
      "its partition ends over it: it is not started again",
    );
    events.emit({ event: "actor_quarantined", id, at, reason, ends, periodMs });
    return true;
  }

  /** The thread of a partition has written out what the next one needs. */
  lastWords({ survivors }: PartitionSlot, words: LastWords): void {
    survivors.heard(words);
  }

  /** What the next thread of a partition takes over. */
  inheritance({ survivors }: PartitionSlot): Inheritance | undefined {
    return survivors.inheritance(this.#host.outbox.codec);
  }

  /** The supervisor has stopped. */
  stopped(reason: ExitReason): void {
    for (const partition of this.partitions) {
      const { index, survivors, words } = partition;
      const lost = Math.max(0, words[TABLE_QUEUED]) + survivors.end();
      closeTable(words);
      this.#ended(partition, reason, undefined, 0);
      this.#host.deadLetters.addMany(`${this.#id}/${index}`, "", "queued", lost, reason);
    }
    this.#report.tell();
  }

  /** Tells of the ends that were not told yet. */
  tell(): void {
    this.#report.tell();
  }

  heard(partition: PartitionSlot, news: MembersNews): void {
    const { members, segment, survivors } = partition;
    for (const [id, address, uid] of news.spawned) members.set(id, { id: `${this.#id}/${id}`, address, uid });
    if (news.kept.length > 0) prepareToAsk();
    for (const kept of news.kept) {
      const { name, cell, generation } = kept;
      const address = cellAddress(segment, cell);
      members.set(name, { id: `${this.#id}/${name}`, address, uid: uidOfGeneration(generation) });
      survivors.add(kept);
    }
    if (news.inherited) survivors.inherited();
    for (const [id, cell, generation] of news.gone) {
      const member = members.get(id);
      if (member !== undefined && cellOf(member.address) === cell && member.uid === uidOfGeneration(generation)) {
        members.delete(id);
        survivors.delete(id);
      }
    }
    const { deadLetters, outbox } = this.#host;
    const { codec } = outbox;
    for (const [kind, count] of Object.entries(news.ended)) partition.count(kind, count);
    const { sample } = news;
    this.#report.add(
      { reasons: news.ended, restarted: news.restarted, givenUp: news.givenUp },
      sample === undefined ? undefined : { id: sample.id, reason: decodeReason(codec, sample.reason) },
    );
    deadLetters.addMany(this.#id, news.method, "queued", news.queued);
    deadLetters.addMany(this.#id, news.method, "dropped", news.dropped);
    // A member's replies were sent before it ended, by a lane that main may not have looked at yet.
    if (news.watched.length > 0) outbox.takeReplies();
    this.#host.together(() => {
      for (const [address, uid, id, life, reason, restarted] of news.watched) {
        this.#tellEnd({ address, uid, id, life }, decodeReason(codec, reason), restarted);
      }
    });
  }

  /** No member of it lives. Tells of each, the culprit with the reason itself. */
  #ended(partition: PartitionSlot, reason: ExitReason, culprit: Culprit | undefined, givenUp: number): void {
    const { members, survivors } = partition;
    const isOrdered = reason.kind === "shutdown" || reason.kind === "normal";
    const others: ExitReason = isOrdered ? reason : { kind: "partition_ended", reason };
    const counts: Record<string, number> = {};
    const lost = [...members.values()];
    let restarted = 0;
    for (const name of members.keys()) {
      if (survivors.has(name)) restarted++;
      else members.delete(name);
    }
    const reasonOf = ({ address, uid }: LightTarget): ExitReason =>
      culprit?.address === address && culprit.uid === uid ? reason : others;
    for (const member of lost) {
      const { kind } = reasonOf(member);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    for (const [kind, count] of Object.entries(counts)) partition.count(kind, count);
    this.#report.add({ reasons: counts, restarted, givenUp });
    this.#host.together(() => {
      for (const target of [...this.#watched.values()]) {
        if (segmentOfCell(target.address) === partition.segment) this.#tellEnd(target, reasonOf(target));
      }
    });
  }

  /** Traces go on in the next life of a member that was started again. */
  #tellEnd(ended: LightLife, reason: ExitReason, restarted = false): void {
    const key = lightName(ended);
    const wasWatched = this.#watched.delete(key);
    this.#followTraces(ended, restarted);
    if (wasWatched) this.#host.lightEnded(key, ended, reason);
  }

  #followTraces(ended: LightLife, restarted: boolean): void {
    const name = traceName(ended);
    const traces = this.#traces.get(name);
    if (traces === undefined) return;
    const next = restarted ? this.resolve({ ...ended, life: undefined }) : undefined;
    if (next !== undefined && this.watch(next)) return;
    traces.close();
    this.#traces.delete(name);
  }
}

/** Of all lives of one member. */
function traceName({ address, uid }: LightTarget): string {
  return `${address} ${uid}`;
}

function lifeOf({ id, address, uid }: LightTarget): MemberLife {
  return { id, cell: cellOf(address), generation: generationOf(uid) };
}
