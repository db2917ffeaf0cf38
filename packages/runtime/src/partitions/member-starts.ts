import { ActorError, type ExitReason, isActorError } from "@mini-otp/worker-host/protocol/errors";
import { anId } from "@mini-otp/worker-host/protocol/options";
import type { MemberItem } from "@mini-otp/worker-host/protocol/port";
import { type ActorRef, alreadyStarted } from "@mini-otp/worker-host/protocol/refs";
import { decodeReason } from "@mini-otp/worker-host/protocol/values";
import type { MainOutbox } from "../messaging/main-outbox.js";
import type { ChildSpec, FullActorSpec, FullMemberSpec } from "../supervision/child-spec.js";
import { copyArgs, normaliseMember } from "../supervision/normalise-spec.js";
import type { MemberStart } from "../supervision/partitioned-ref.js";
import { invalidSpec, readSpec } from "../supervision/spec-fields.js";
import { lackOf, startError } from "../supervision/start-error.js";
import { askPartition } from "./ask-partition.js";
import { isLightReference } from "./light-actors.js";
import type { Membership } from "./membership.js";
import type { PartitionSlot } from "./partition-slot.js";
import { memberSpec, type PartitionedSpec } from "./partition-specs.js";
import type { Running } from "./partitions-host.js";
import { leastLoaded, partitionOf } from "./placement.js";

/** Starts in one message. */
const STARTS_A_MESSAGE = 512;

interface Start {
  readonly id: string;
  readonly args: unknown;
  /** One for all that say no more than an id and arguments. */
  readonly spec: FullMemberSpec;
  readonly partition: PartitionSlot;
  readonly index: number;
}

/** Starts with one spec in one partition. */
interface Batch {
  readonly partition: PartitionSlot;
  readonly spec: FullMemberSpec;
  readonly starts: Start[];
}

type Results = PromiseSettledResult<ActorRef>[];

/** Starts children: checks their specs, places each in a partition, and sends many in one message. */
export class MemberStarts {
  readonly #id: string;
  readonly #spec: PartitionedSpec;
  readonly #membership: Membership;
  readonly #outbox: MainOutbox;
  readonly #supervisor: Running;
  /** Ids that are being started. */
  readonly #starting = new Set<string>();
  #common: FullMemberSpec | undefined;
  #turn = 0;
  #lastNumber = 0;

  constructor(id: string, spec: PartitionedSpec, membership: Membership, outbox: MainOutbox, supervisor: Running) {
    this.#id = id;
    this.#spec = spec;
    this.#membership = membership;
    this.#outbox = outbox;
    this.#supervisor = supervisor;
  }

  async one(spec: MemberStart = {}): Promise<ActorRef> {
    const [result] = await this.all([spec]);
    if (result.status === "rejected") throw result.reason;
    return result.value;
  }

  /** How each start ended, at the same place. */
  async all(specs: readonly MemberStart[]): Promise<Results> {
    const results: Results = new Array(specs.length);
    const batches = new Set<Batch>();
    /** By partition: the batch of those that say no more than an id and arguments. */
    const common = new Map<PartitionSlot, Batch>();
    const sent: Promise<void>[] = [];
    specs.forEach((given, index) => {
      let start: Start;
      try {
        this.#supervisor.requireRunning();
        start = this.#prepare(given, index);
      } catch (reason) {
        results[index] = { status: "rejected", reason };
        return;
      }
      const { partition, spec } = start;
      const isCommon = spec === this.#common;
      let batch = isCommon ? common.get(partition) : undefined;
      if (batch === undefined) {
        batch = { partition, spec, starts: [] };
        batches.add(batch);
        if (isCommon) common.set(partition, batch);
      }
      batch.starts.push(start);
      if (batch.starts.length < STARTS_A_MESSAGE) return;
      batches.delete(batch);
      common.delete(partition);
      sent.push(this.#send(batch, results));
    });
    for (const batch of batches) sent.push(this.#send(batch, results));
    await Promise.all(sent);
    return results;
  }

  #prepare(given: MemberStart, index: number): Start {
    const { sameThreadAs, ...rest } = readSpec(given ?? {}, this.#id) as MemberStart;
    const { id, args, spec } = this.#full(rest as Partial<FullActorSpec>);
    const present = this.#membership.find(id);
    if (present !== undefined || this.#starting.has(id)) {
      const path = `${this.#id}/${id}`;
      if (present === undefined)
        throw new ActorError("ERR_ALREADY_STARTED", `${path} is being started already`, { id: path });
      throw alreadyStarted(path, this.#membership.toRef(present));
    }
    if (this.#children() >= this.#spec.maxChildren) {
      const path = `${this.#id}/${id}`;
      throw new ActorError("ERR_MAX_CHILDREN", `${path} would be one child more than maxChildren`, { id: path });
    }
    const partition = this.#place(id, sameThreadAs);
    partition.starting++;
    this.#starting.add(id);
    return { id, args, spec, partition, index };
  }

  /** Checks a spec. One that says no more than an id and arguments has all else of the template, checked once. */
  #full(given: Partial<FullActorSpec>): Pick<Start, "id" | "args" | "spec"> {
    const { template } = this.#spec;
    const { id = this.#freeId() } = given;
    if (!("actor" in template) || !saysIdAndArgs(given)) {
      const spec = normaliseMember(this.#id, template, { ...given, id } as ChildSpec);
      return { id: spec.id, args: spec.args, spec };
    }
    if (anId.take(id) !== id) throw invalidSpec(this.#id, "id", id, anId.allowed);
    this.#common ??= normaliseMember(this.#id, template, { id } as ChildSpec);
    // The arguments are encoded before this call returns, so they need no copy.
    return { id, args: given.args === undefined ? this.#common.args : given.args, spec: this.#common };
  }

  /** All that live or are being started, without those of `perThread`. */
  #children(): number {
    const { partitions } = this.#membership;
    let children = -this.#spec.perThread.length * partitions.length;
    for (const { load } of partitions) children += load;
    return children;
  }

  #place(id: string, sibling: unknown): PartitionSlot {
    if (sibling !== undefined) return this.#partitionOfSibling(id, sibling);
    const { partitions } = this.#membership;
    switch (this.#spec.threads.place) {
      case "hash":
        return partitions[partitionOf(id, partitions.length)];
      case "round_robin":
        return partitions[this.#turn++ % partitions.length];
      case "least_loaded":
        return leastLoaded(this.#turn++ % partitions.length, partitions);
    }
  }

  #partitionOfSibling(id: string, sibling: unknown): PartitionSlot {
    const path = `${this.#id}/${id}`;
    if (this.#spec.threads.place === "hash") {
      throw invalidSpec(path, "sameThreadAs", sibling, 'left out with place "hash": the id says where the child is');
    }
    const partition = isLightReference(sibling) ? this.#membership.partitionAt(sibling.address) : undefined;
    if (partition !== undefined) return partition;
    throw invalidSpec(path, "sameThreadAs", sibling, "a reference to a light actor of this supervisor");
  }

  async #send({ partition, spec, starts }: Batch, results: Results): Promise<void> {
    const items: MemberItem[] = starts.map(({ id, args }) => [id, args]);
    const reject = (index: number, reason: unknown): void => {
      results[index] = { status: "rejected", reason };
    };
    const supervisor = this.#supervisor;
    try {
      const asked = askPartition(supervisor, partition, "members.start", memberSpec(spec), items);
      if (asked === undefined) throw supervisor.notRunning();
      const started = await asked;
      const failures = new Map(started.failures);
      starts.forEach(({ index, id, args }, i) => {
        const failure = failures.get(i);
        if (failure !== undefined) {
          reject(index, this.#failed(id, args, decodeReason(this.#outbox.codec, failure)));
          return;
        }
        const member = { id: `${this.#id}/${id}`, address: started.addresses[i], uid: started.uids[i] };
        // It may have ended since: then its end has been told, or is on its way, and must not be listed after.
        if (partition.lives(member)) partition.members.set(id, member);
        results[index] = { status: "fulfilled", value: this.#membership.toRef(member) };
      });
    } catch (error) {
      if (starts.length > 1 && isActorError(error, "ERR_NOT_CLONEABLE")) {
        // One of them has arguments that no message can carry: the others start.
        partition.starting += starts.length;
        await Promise.all(starts.map((start) => this.#send({ partition, spec, starts: [start] }, results)));
        return;
      }
      for (const start of starts) {
        reject(start.index, supervisor.isStopping() ? supervisor.notRunning() : this.#unsent(start, error));
      }
    } finally {
      partition.starting -= starts.length;
      for (const { id } of starts) this.#starting.delete(id);
    }
  }

  /** Why a start was not sent: of arguments that no message can carry, in terms of the child. */
  #unsent({ id, args }: Start, error: unknown): unknown {
    if (!isActorError(error, "ERR_NOT_CLONEABLE")) return error;
    try {
      copyArgs(`${this.#id}/${id}`, args);
      return error;
    } catch (refusal) {
      return refusal;
    }
  }

  #failed(id: string, args: unknown, reason: ExitReason): unknown {
    const error = "error" in reason ? reason.error : undefined;
    if (isActorError(error, "ERR_ALREADY_STARTED") || isActorError(error, "ERR_MAX_CHILDREN")) return error;
    return startError(`${this.#id}/${id}`, "worker", reason, lackOf({ kind: "actor", args }));
  }

  #freeId(): string {
    let id: string;
    const prefix = (this.#spec.template as { id?: string }).id ?? "child";
    do id = `${prefix}-${++this.#lastNumber}`;
    while (this.#membership.find(id) !== undefined || this.#starting.has(id));
    return id;
  }
}

function saysIdAndArgs(given: object): boolean {
  for (const key in given) if (key !== "id" && key !== "args") return false;
  return true;
}
