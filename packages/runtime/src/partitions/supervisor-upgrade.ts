import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import type { MemberResult } from "@mini-otp/worker-host/protocol/refs";
import { decodeForeign } from "@mini-otp/worker-host/protocol/values";
import type { FullActorSpec } from "../supervision/child-spec.js";
import { resolveModule } from "../supervision/module-url.js";
import type { PartitionedSupervisorRef, UpgradedPartition } from "../supervision/partitioned-ref.js";
import { moduleCandidates } from "../threads/actor-module.js";
import type { Reloaded } from "../threads/reloadable.js";
import { askPartition } from "./ask-partition.js";
import type { PartitionSlot } from "./partition-slot.js";
import type { PartitionedSpec } from "./partition-specs.js";
import type { PartitionsHost, Running } from "./partitions-host.js";

export type Upgrade = (module: URL, timeoutMs: number | undefined) => Promise<MemberResult<UpgradedPartition>[]>;

const upgrades = new WeakMap<object, Upgrade>();

/** How the light actors of this supervisor are upgraded; undefined for what is no reference to one with `threads`. */
export function upgradeOf(supervisor: unknown): Upgrade | undefined {
  return typeof supervisor === "object" && supervisor !== null ? upgrades.get(supervisor) : undefined;
}

export interface UpgradeParts {
  readonly id: string;
  readonly spec: PartitionedSpec;
  readonly partitions: readonly PartitionSlot[];
  readonly host: PartitionsHost;
  readonly supervisor: Running;
}

/** Returns what upgrades the members of this supervisor that have the template's code, and lets `upgradeOf` find it. */
export function offerUpgrade(ref: PartitionedSupervisorRef, parts: UpgradeParts): Upgrade {
  let isOpen = false;
  const offered: Upgrade = async (module, timeoutMs) => {
    const { id } = parts;
    parts.supervisor.requireRunning();
    if (isOpen) throw new ActorError("ERR_RUNNING", `id=${id} upgrade: it is being upgraded already`, { id });
    isOpen = true;
    try {
      return await upgrade(parts, module, timeoutMs);
    } finally {
      isOpen = false;
    }
  };
  upgrades.set(ref, offered);
  return offered;
}

/** Upgrades the members to what the file of their template's module holds now. */
export async function reload(
  upgradeTo: Upgrade,
  { template }: PartitionedSpec,
  partitions: readonly PartitionSlot[],
): Promise<Reloaded> {
  const rows = await upgradeTo(resolveModule((template as FullActorSpec).actor), undefined);
  return rows.reduce<Reloaded>(
    (sum, row, at) => {
      const { upgraded, kept, reason }: UpgradedPartition =
        row.status === "fulfilled" ? row.value : { upgraded: 0, kept: partitions[at].load, reason: row.reason };
      return { upgraded: sum.upgraded + upgraded, kept: sum.kept + kept, error: sum.error ?? reason };
    },
    { upgraded: 0, kept: 0 },
  );
}

/** One partition after the other. The first is the test: when it fails nothing has changed. */
async function upgrade(
  { id: of, spec, partitions, host, supervisor }: UpgradeParts,
  module: URL,
  given: number | undefined,
): Promise<MemberResult<UpgradedPartition>[]> {
  const { actor, startTimeoutMs = 10_000 } = spec.template as Partial<FullActorSpec>;
  if (actor === undefined) {
    const message = `id=${of} upgrade: the supervisor's template names no actor`;
    throw new ActorError("ERR_NOT_AN_ACTOR", message, { id: of, method: "upgrade" });
  }
  const key = moduleCandidates(actor).join();
  const modules = moduleCandidates(module);
  const { codec } = host.outbox;
  const results: MemberResult<UpgradedPartition>[] = [];
  for (const partition of partitions) {
    const id = `${of}/${partition.index}`;
    try {
      const ref = supervisor.refOf(partition);
      const asked = askPartition(supervisor, partition, "members.upgrade", key, modules, given ?? startTimeoutMs);
      if (ref === undefined || asked === undefined) throw supervisor.notRunning();
      const { upgraded, kept, error, fromVersion, version } = await asked;
      partition.upgraded.set(key, modules);
      const reason = error === undefined ? {} : { reason: decodeForeign(codec, error) };
      results.push({ id, status: "fulfilled", value: { upgraded, kept, ...reason } });
      host.events.emit({
        event: "actor_upgraded",
        id,
        at: performance.now(),
        incarnation: host.find(ref)?.incarnation ?? 1,
        fromVersion,
        ...(version === undefined ? {} : { version }),
      });
    } catch (reason) {
      if (results.length === 0) throw reason;
      results.push({ id, status: "rejected", reason });
    }
  }
  return results;
}
