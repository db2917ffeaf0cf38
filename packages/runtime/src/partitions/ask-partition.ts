import type { StartedMembers, UpgradedMembers } from "@mini-otp/worker-host/protocol/port";
import type { PartitionSlot } from "./partition-slot.js";
import type { Running } from "./partitions-host.js";

/** What a partition's thread does for main, and its answer. */
interface Answers {
  readonly "members.start": StartedMembers;
  readonly "members.stop": undefined;
  readonly "members.upgrade": UpgradedMembers;
}

interface Sending {
  call(method: string, ...args: readonly unknown[]): Promise<unknown>;
}

/** Asks the thread of a partition, without a limit of time: it ends by itself. Undefined while there is none. */
export function askPartition<M extends keyof Answers>(
  supervisor: Running,
  partition: PartitionSlot,
  method: M,
  ...args: readonly unknown[]
): Promise<Answers[M]> | undefined {
  const ref = supervisor.refOf(partition)?.with({ timeoutMs: Infinity }) as unknown as Sending | undefined;
  return ref?.call(method, partition.key, ...args) as Promise<Answers[M]> | undefined;
}
