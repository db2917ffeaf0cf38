import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  closeTable,
  DISPATCHES,
  FIRST_CELL,
  formatTable,
  HANDLING,
  MAX_CELLS,
  TABLE_MEMBERS,
  tableBytes,
} from "@mini-otp/worker-host/protocol/memory";
import type { MembersWeigh, PartitionArgs } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { ActorChild } from "../actor/actor-child.js";
import { limits, type MemorySample } from "../guard/heap-judgement.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import type { FullActorSpec, FullPartitionedSpec } from "../supervision/child-spec.js";
import type { PartitionedSupervisorRef } from "../supervision/partitioned-ref.js";
import type { TreeEnvironment } from "../supervision/supervision-loop.js";
import { SupervisorProcess } from "../supervision/supervisor-process.js";
import type { Reloadable, Reloaded } from "../threads/reloadable.js";
import { askLastWords } from "./ask-last-words.js";
import { MemberStarts } from "./member-starts.js";
import { Membership } from "./membership.js";
import { isOverMemory, PartitionSlot } from "./partition-slot.js";
import { type PartitionedSpec, partitionSpecs } from "./partition-specs.js";
import type { PartitionsHost, Running } from "./partitions-host.js";
import { partitionsReference } from "./partitions-reference.js";
import { offerUpgrade, reload, type Upgrade } from "./supervisor-upgrade.js";

/** Of members that were killed, so many are named in the report of a stop. */
const MOST_LISTED = 100;
const NEARLY_FULL = 0.75;
/** The thread rests longer when the last weighing took long. */
const WEIGHED_EVERY_MS = 100;

/**
 * A dynamic supervisor whose children share threads: a one_for_one supervisor of its partitions, each an actor with a
 * thread of its own, and on main a list of who is where.
 */
export class PartitionedSupervisor implements Child<PartitionedSupervisorRef>, Running, Reloadable {
  readonly type = "supervisor";
  readonly ref: PartitionedSupervisorRef;
  readonly id: string;
  readonly #spec: PartitionedSpec;
  readonly #host: PartitionsHost;
  readonly #tree: TreeEnvironment;
  readonly #process: SupervisorProcess;
  readonly #membership: Membership;
  readonly #upgrade: Upgrade;
  #running = false;
  #disposed = false;

  constructor(given: FullPartitionedSpec, path: string, tree: TreeEnvironment, host: PartitionsHost, onExit: OnExit) {
    const spec = given as PartitionedSpec;
    const { threads, perThread, maxChildren, intensity, periodMs } = spec;
    this.#spec = spec;
    this.id = path;
    this.#host = host;
    this.#tree = tree;
    const cells = Math.min(MAX_CELLS, FIRST_CELL + perThread.length + Math.min(maxChildren, MAX_CELLS));
    const partitions = Array.from({ length: threads.count }, (_, index) => {
      const { segment, words } = host.slots.allocateTable(tableBytes(cells));
      return new PartitionSlot(index, segment, words);
    });
    const membership = new Membership(path, partitions, spec, host, (partition) => this.refOf(partition));
    this.#membership = membership;
    for (const { segment } of partitions) host.lights.add(segment, membership);
    const plan = {
      path,
      flags: {
        strategy: "one_for_one",
        intensity,
        periodMs,
        autoShutdown: "never",
        dynamic: true,
        maxChildren: Infinity,
      } as const,
      get children() {
        return partitionSpecs(path, spec, partitions);
      },
      admit: (child: unknown) => child as FullActorSpec,
    };
    this.#process = new SupervisorProcess(plan, this.#watching(), (reason) => {
      this.#running = false;
      membership.stopped(reason);
      onExit(reason);
    });
    const { outbox } = host;
    const starts = new MemberStarts(path, spec, membership, outbox, this);
    this.ref = partitionsReference({ spec, process: this.#process.ref, membership, starts, outbox, supervisor: this });
    this.#upgrade = offerUpgrade(this.ref, { id: path, spec, partitions, host, supervisor: this });
  }

  async start(incarnation: number): Promise<StartOutcome<PartitionedSupervisorRef>> {
    const outcome = await this.#process.start(incarnation);
    this.#running = outcome.kind === "started";
    return outcome.kind === "started" ? { kind: "started", ref: this.ref } : (outcome as StartOutcome<never>);
  }

  async stop(request: StopRequest): Promise<StopOutcome> {
    this.#running = false;
    const { partitions } = this.#membership;
    const lived = partitions.reduce((sum, { words }) => sum + words[TABLE_MEMBERS], 0);
    const outcome = await this.#process.stop(request);
    // Those that live still have ended with their threads.
    const killed = partitions.flatMap((partition) =>
      [...partition.members.values()].filter((member) => partition.lives(member)).map(({ id }) => id),
    );
    this.#membership.stopped(outcome.reason);
    const stopped = Math.max(0, lived - killed.length);
    const members = { stopped, killed: killed.length, killedIds: killed.slice(0, MOST_LISTED) };
    return { ...outcome, members };
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
    this.#membership.tell();
    for (const { segment, words } of this.#membership.partitions) {
      closeTable(words);
      this.#host.lights.remove(segment);
      this.#host.slots.releaseTable(segment);
    }
  }

  /** Puts a saved change of its template's module into its members. */
  reload(): Promise<Reloaded> {
    return reload(this.#upgrade, this.#spec, this.#membership.partitions);
  }

  refOf({ index }: { readonly index: number }): ActorRef | undefined {
    return this.#process.ref.child(String(index)) as ActorRef | undefined;
  }

  isStopping(): boolean {
    return this.#tree.isStopping();
  }

  requireRunning(): void {
    if (!this.#running || this.isStopping()) throw this.notRunning();
  }

  notRunning(): ActorError {
    const { id } = this;
    return this.isStopping()
      ? new ActorError("ERR_SYSTEM_STOPPED", `${id}: the system is stopping or has stopped`, { id })
      : new ActorError("ERR_NOPROC", `${id}: this supervisor is not running`, { id });
  }

  /** Has a partition that is nearly full see who holds so much, before it is over its cap. */
  #weigh(partition: PartitionSlot, child: ActorChild, memory: MemorySample): void {
    const { words } = child.place;
    const handler = words[HANDLING] === 0 ? undefined : words[DISPATCHES];
    partition.growth.sampled(handler, memory, child.spec);
    const most = limits(child.spec);
    if (memory.heapMb < NEARLY_FULL * most.heapMb && memory.offHeapMb < NEARLY_FULL * most.offHeapMb) return;
    const now = performance.now();
    if (!child.running || now - partition.weighedAt < WEIGHED_EVERY_MS) return;
    partition.weighedAt = now;
    child.info({ type: "members.weigh" } satisfies MembersWeigh);
  }

  /** The tree, in which the end of a partition is the end of its members before its supervisor acts. */
  #watching(): TreeEnvironment {
    const tree = this.#tree;
    const membership = this.#membership;
    return {
      clock: tree.clock,
      random: () => tree.random(),
      report: (report, budget) => tree.report(report, budget),
      failed: (id, error) => tree.failed(id, error),
      isStopping: () => tree.isStopping(),
      createChild: (spec, path, onExit) => {
        const partition = membership.partitions[Number(spec.id)];
        const child = tree.createChild(spec, path, (reason) => {
          membership.threadEnded(partition, reason);
          onExit(reason);
        }) as ActorChild;
        child.onTraced = (traced) => membership.traced(partition, traced);
        child.onLastWords = (words) => membership.lastWords(partition, words);
        child.keptCallsOf = (uid) => partition.survivors.callsOf(uid);
        child.lastWords = (thread, reason) => {
          const overMemory = reason !== undefined && isOverMemory(reason);
          if (overMemory) partition.overMemory();
          return partition.survivors.isEmpty ? undefined : askLastWords(thread, overMemory);
        };
        child.reloadedBy = this;
        child.onSample = (memory) => this.#weigh(partition, child, memory);
        const { args } = child.spec as { args: PartitionArgs };
        child.threads.argsNow = () => ({
          ...args,
          upgraded: [...partition.upgraded],
          inherited: membership.inheritance(partition),
        });
        child.onNews = (news) => membership.heard(partition, news);
        child.within = () => ({ length: partition.queued, bytes: partition.queuedBytes });
        formatTable(partition.words, child.slot, this.#spec.threads.queueBytes);
        return child;
      },
    };
  }
}
