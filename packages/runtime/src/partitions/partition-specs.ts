import { CELL_RESTART, CELL_WORDS, RESTART_TYPES, writePolicy } from "@mini-otp/worker-host/protocol/memory";
import type { MemberSpec, PartitionArgs } from "@mini-otp/worker-host/protocol/port";
import { partitionUrl } from "@mini-otp/worker-host/protocol/port";
import type { RestartType } from "../supervision/child.js";
import type { ChildSpec, FullActorSpec, FullMemberSpec, FullPartitionedSpec } from "../supervision/child-spec.js";
import { normaliseMember, normaliseSpec } from "../supervision/normalise-spec.js";
import { moduleCandidates } from "../threads/actor-module.js";
import type { PartitionSlot } from "./partition-slot.js";

/** The partition's ring: all its members' messages pass it, and wait on its heap, not here. */
const RING_MESSAGES = 2 ** 20;
const RING_BYTES = 4 * 2 ** 20;
/** A partition loads its modules and starts what there is one of in each. */
const START_TIMEOUT_MS = 30_000;

/** When the member at this cell is started again. */
export function restartOf(words: Int32Array, cell: number): RestartType {
  return RESTART_TYPES[words[cell * CELL_WORDS + CELL_RESTART]];
}

export type PartitionedSpec = FullPartitionedSpec & { readonly template: Partial<ChildSpec> };

/** The specs of a supervisor's partitions, each an actor with a thread of its own. */
export function partitionSpecs(
  id: string,
  { threads, template, perThread, intensity, periodMs }: PartitionedSpec,
  partitions: readonly PartitionSlot[],
): FullActorSpec[] {
  const { handlerTimeoutMs, callTimeoutMs, shutdown } = template as Partial<FullActorSpec>;
  const common = spawned(id, template);
  return partitions.map(({ index, segment, key }) => {
    const args: PartitionArgs = {
      supervisor: id,
      segment,
      key,
      template: common,
      upgraded: [],
      inherited: undefined,
      perThread: perThread.map((member) => ({
        id: `${member.id}@${index}`,
        args: member.args,
        spec: memberSpec(member),
      })),
      caps: { heapCapMb: threads.heapCapMb, offHeapCapMb: threads.offHeapCapMb },
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
        onRestart: "keep",
      },
      ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
      ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
      ...(shutdown === undefined ? {} : { shutdown }),
    };
    return normaliseSpec(spec, id) as FullActorSpec;
  });
}

/** What `ctx.spawn` starts: the template, when it names an actor. */
function spawned(id: string, template: Partial<ChildSpec>): MemberSpec | undefined {
  if ((template as Partial<FullActorSpec>).actor === undefined) return undefined;
  return memberSpec(normaliseMember(id, template, { id: "template" } as ChildSpec));
}

/** The part of a child's spec that its partition works with. */
export function memberSpec(spec: FullMemberSpec): MemberSpec {
  const { actor, handlerTimeoutMs, startTimeoutMs, throws, mailbox, restart } = spec;
  return {
    modules: moduleCandidates(actor),
    handlerTimeoutMs,
    startTimeoutMs,
    throws,
    restart: RESTART_TYPES.indexOf(restart),
    dropsOnRestart: mailbox.onRestart === "drop",
    capacity: mailbox.capacity,
    capacityBytes: mailbox.capacityBytes,
    policy: writePolicy(mailbox.overflow, mailbox.blockTimeoutMs),
  };
}
