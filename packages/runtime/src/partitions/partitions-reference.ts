import { ActorError, invalidOption, isActorError } from "@mini-otp/worker-host/protocol/errors";
import {
  cellAddress,
  cellOf,
  generationOf,
  TABLE_MEMBERS,
  uidOfGeneration,
} from "@mini-otp/worker-host/protocol/memory";
import { anId, field, integer, oneOf, takeArgument, takeOptions, text } from "@mini-otp/worker-host/protocol/options";
import { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { MainOutbox } from "../messaging/main-outbox.js";
import type { ChildCounts, ChildInfo } from "../supervision/administration.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import type {
  MemberInfo,
  MemberStart,
  MembersPage,
  PartitionedSupervisorRef,
  PartitionInfo,
} from "../supervision/partitioned-ref.js";
import type { SupervisorRef } from "../supervision/supervisor-ref.js";
import { moduleName } from "../threads/actor-module.js";
import { askPartition } from "./ask-partition.js";
import type { LightTarget } from "./light-actors.js";
import type { MemberStarts } from "./member-starts.js";
import type { Membership } from "./membership.js";
import type { PartitionSlot } from "./partition-slot.js";
import { type PartitionedSpec, restartOf } from "./partition-specs.js";
import type { Running } from "./partitions-host.js";
import { partitionOf } from "./placement.js";

const MAX_LIMIT = 1_000;
interface Place {
  readonly id: string;
  readonly queued: number;
}

const aList = field("a list of specs", Array.isArray);

export interface ReferenceParts {
  readonly spec: PartitionedSpec;
  readonly process: SupervisorRef;
  readonly membership: Membership;
  readonly starts: MemberStarts;
  readonly outbox: MainOutbox;
  readonly supervisor: Running;
}

/** What users ask a supervisor of light actors. */
export function partitionsReference(parts: ReferenceParts): PartitionedSupervisorRef {
  const { process, starts } = parts;
  const questions = new Questions(parts);
  return {
    id: process.id,
    flags: process.flags,
    startChild: ((spec?: MemberStart) => starts.one(spec)) as unknown as PartitionedSupervisorRef["startChild"],
    startChildren: ((specs: readonly MemberStart[]) =>
      questions.startMany(specs)) as unknown as PartitionedSupervisorRef["startChildren"],
    refOf: ((id: string) => questions.byId(id)) as PartitionedSupervisorRef["refOf"],
    child: ((id: string) => questions.child(id)) as PartitionedSupervisorRef["child"],
    terminateChild: (id) => questions.terminate(id),
    restartChild: (id) => questions.refuse("restartChild", id),
    deleteChild: (id) => questions.refuse("deleteChild", id),
    whichChildren: () => questions.children(),
    countChildren: () => questions.count(),
    recentRestarts: () => process.recentRestarts(),
    partitions: () => questions.partitions(),
    members: (options = {}) => questions.page(options),
  };
}

class Questions {
  readonly #parts: ReferenceParts;
  readonly #id: string;

  constructor(parts: ReferenceParts) {
    this.#parts = parts;
    this.#id = parts.process.id;
  }

  async startMany(specs: readonly MemberStart[]): Promise<ActorRef[]> {
    takeArgument("startChildren", "specs", specs, aList);
    const results = await this.#parts.starts.all(specs);
    const failed = results.filter((result) => result.status === "rejected");
    if (failed.length > 0) {
      const errors = failed.map(({ reason }) => reason as unknown);
      const message = `${this.#id}: ${failed.length} of ${specs.length} children did not start`;
      throw new AggregateError(errors, message, { cause: errors[0] });
    }
    return results.map((result) => (result as PromiseFulfilledResult<ActorRef>).value);
  }

  byId(id: string): ActorRef {
    takeArgument("refOf", "id", id, anId);
    const { spec, membership, outbox } = this.#parts;
    const { place } = spec.threads;
    if (place !== "hash") {
      const allowed = 'threads.place "hash"';
      const facts = { function: "refOf", field: "place", value: place, allowed };
      throw invalidOption(`refOf: ${this.#id} has place="${place}", must be ${allowed}; child(id) finds others`, facts);
    }
    const { partitions } = membership;
    const { segment } = partitions[partitionOf(id, partitions.length)];
    return new ActorRef(outbox, cellAddress(segment, 0), uidOfGeneration(0), `${this.#id}/${id}`);
  }

  child(id: string): ActorRef | undefined {
    const { membership } = this.#parts;
    const found = membership.find(takeArgument("child", "id", id, text));
    return found === undefined ? undefined : membership.toRef(found);
  }

  async terminate(id: string): Promise<void> {
    takeArgument("terminateChild", "id", id, text);
    const { spec, membership, supervisor } = this.#parts;
    supervisor.requireRunning();
    const member = membership.find(id);
    if (member === undefined) throw this.#notFound(id);
    const partition = membership.partitionAt(member.address) as PartitionSlot;
    const { shutdown = 5_000 } = spec.template as Partial<FullActorSpec>;
    const limitMs = shutdown === "brutal_kill" ? -1 : shutdown === "infinity" ? Infinity : shutdown;
    try {
      await askPartition(supervisor, partition, "members.stop", id, generationOf(member.uid), limitMs);
    } catch (error) {
      // With its thread it has ended too.
      if (!isActorError(error, "ERR_CALL_EXIT") && !isActorError(error, "ERR_NOPROC")) throw error;
    }
    if (partition.members.get(id) === member) partition.members.delete(id);
  }

  /** A child that has ended for good is forgotten: none can be restarted or deleted. */
  async refuse(call: string, id: string): Promise<never> {
    takeArgument(call, "id", id, text);
    this.#parts.supervisor.requireRunning();
    if (this.#parts.membership.find(id) === undefined) throw this.#notFound(id);
    const path = `${this.#id}/${id}`;
    throw new ActorError("ERR_RUNNING", `${path} is running`, { id: path });
  }

  children(): ChildInfo[] {
    const { membership } = this.#parts;
    return membership.partitions
      .flatMap((partition) =>
        [...partition.members]
          .filter(([, member]) => partition.lives(member))
          .map(([id, member]) => ({ id, member, restart: restartOf(partition.words, cellOf(member.address)) })),
      )
      .map(
        ({ id, member, restart }) =>
          ({ id, type: "worker", state: "running", restart, ref: membership.toRef(member) }) as const,
      )
      .reverse();
  }

  count(): ChildCounts {
    const workers = this.#parts.membership.partitions.reduce((sum, { words }) => sum + words[TABLE_MEMBERS], 0);
    return { specs: workers, active: workers, supervisors: 0, workers };
  }

  partitions(): PartitionInfo[] {
    const { spec, membership, supervisor } = this.#parts;
    const { actor } = spec.template as Partial<FullActorSpec>;
    const type = actor === undefined ? "" : moduleName(actor);
    return membership.partitions.map((partition) => {
      const { index, words, handled, queued, queuedBytes, ended } = partition;
      return {
        id: `${this.#id}/${index}`,
        ref: supervisor.refOf(partition) as ActorRef,
        type,
        members: words[TABLE_MEMBERS],
        handled,
        queued,
        queuedBytes,
        ended: { ...ended },
      };
    });
  }

  page(options: MembersPage): MemberInfo[] {
    const { membership } = this.#parts;
    const fields = {
      partition: integer([0, membership.partitions.length - 1]),
      sort: oneOf("id", "queue"),
      after: text,
      limit: integer([1, MAX_LIMIT]),
    };
    const { partition = 0, sort = "id", after, limit = 100 } = takeOptions("members", options, fields);
    const slot = membership.partitions[partition];
    const last = after === undefined ? undefined : slot.members.get(after);
    // One that has ended meanwhile has no place by its queue: what is by id goes on, what is by queue begins anew.
    const from =
      last !== undefined && slot.lives(last)
        ? { id: after as string, queued: slot.queueOf(last) }
        : sort === "id" && after !== undefined
          ? { id: after, queued: 0 }
          : undefined;
    const isBefore = (a: Place, b: Place): boolean =>
      sort === "queue" && a.queued !== b.queued ? a.queued > b.queued : a.id < b.id;
    const rows: (Place & { readonly member: LightTarget })[] = [];
    // The first ones only, each put where it belongs: all of a hundred thousand are not sorted for a page.
    for (const [id, member] of slot.members) {
      const row = { id, member, queued: sort === "queue" ? slot.queueOf(member) : 0 };
      if (from !== undefined && !isBefore(from, row)) continue;
      if (rows.length === limit && !isBefore(row, rows[limit - 1])) continue;
      if (!slot.lives(member)) continue;
      let [low, high] = [0, rows.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (isBefore(rows[middle], row)) low = middle + 1;
        else high = middle;
      }
      rows.splice(low, 0, row);
      if (rows.length > limit) rows.pop();
    }
    return rows.map(({ id, member }) => ({ id, queued: slot.queueOf(member), ref: membership.toRef(member) }));
  }

  #notFound(id: string): ActorError {
    const path = `${this.#id}/${id}`;
    return new ActorError("ERR_NOT_FOUND", `${path} does not exist`, { id: path });
  }
}
