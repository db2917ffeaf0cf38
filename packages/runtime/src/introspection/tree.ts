import type { ActorStats } from "../stats/actor-stats.js";
import type { ChildInfo, ChildStatus, SupervisorInfo } from "../supervision/administration.js";
import type { RestartType } from "../supervision/child.js";
import type { PartitionedSupervisor } from "../supervision/partitioned-ref.js";
import type { SupervisorRef } from "../supervision/supervisor-ref.js";

/** A supervision tree as it is now, in start order. */
export interface TreeNode {
  /** Path from the root. */
  readonly id: string;
  readonly type: "supervisor" | "worker";
  readonly state: ChildStatus;
  readonly restart: RestartType;
  /** Actors only. */
  readonly stats?: ActorStats;
  /** Supervisors only: the rules of its restarts. */
  readonly flags?: SupervisorInfo;
  /** Of a partition: how many light actors live in it. They are no nodes; `members` of their supervisor has a page of them. */
  readonly members?: number;
  /** Of a supervisor; and of an actor, those that it has started with `ctx.startChild`. */
  readonly children?: readonly TreeNode[];
}

type Listed = ChildInfo & { readonly members?: number };

export function treeOf(
  root: SupervisorRef,
  state: ChildStatus,
  statsOf: (ref: unknown) => ActorStats | undefined,
  offspringOf: (ref: unknown) => SupervisorRef | undefined,
): TreeNode {
  const node = ({ id, type, state, restart, ref, members }: Listed, parent: string): TreeNode => {
    const path = `${parent}/${id}`;
    if (type === "supervisor") {
      // A router is a supervisor too: its members are below it.
      const supervisor = ref as SupervisorRef;
      return { id: path, type, state, restart, flags: supervisor.flags, children: childrenOf(supervisor, path) };
    }
    const stats = statsOf(ref);
    const offspring = offspringOf(ref);
    return {
      id: path,
      type,
      state,
      restart,
      ...(stats === undefined ? {} : { stats }),
      ...(members === undefined ? {} : { members }),
      ...(offspring === undefined ? {} : { children: childrenOf(offspring, path) }),
    };
  };
  const childrenOf = (supervisor: SupervisorRef, path: string): TreeNode[] =>
    childrenIn(supervisor)
      .toReversed()
      .map((child) => node(child, path));
  return {
    id: root.id,
    type: "supervisor",
    state,
    restart: "permanent",
    flags: root.flags,
    children: childrenOf(root, root.id),
  };
}

/** A supervisor whose children share threads has a row for each thread, because the children may be a hundred thousand. */
function childrenIn(supervisor: SupervisorRef): Listed[] {
  const { partitions } = supervisor as Partial<PartitionedSupervisor>;
  if (partitions === undefined) return supervisor.whichChildren();
  return partitions()
    .map(
      ({ id, ref, members }) =>
        ({
          id: id.slice(id.lastIndexOf("/") + 1),
          type: "worker",
          state: "running",
          restart: "permanent",
          ref,
          members,
        }) as const,
    )
    .reverse();
}
