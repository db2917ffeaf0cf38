import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { IntensityLimit } from "@mini-otp/worker-host/protocol/options";
import type { BackoffOptions, BackoffState } from "./backoff.js";
import type { Shutdown } from "./child.js";
import { GroupedList } from "./grouped-list.js";
import type { ChildSummary } from "./report.js";
import type { AutoShutdown, Strategy } from "./restart-strategy.js";
import { lackOf } from "./start-error.js";

/** Why a child is being started. It decides the meaning of a failure of that start. */
export type StartCause =
  | { readonly kind: "supervisor_start" }
  | { readonly kind: "start_child" }
  | { readonly kind: "restart_child" }
  | { readonly kind: "restart"; readonly attempt: number; readonly delayMs: number; readonly reason: ExitReason };

export interface ChildState extends ChildSummary {
  readonly backoff: BackoffOptions;
  /** What its spec lacks, which the error of a failed start tells. */
  readonly lack?: string | undefined;
  /** It is in the supervisor's own spec, and comes back when the supervisor is restarted. */
  readonly declared: boolean;
  /** `waiting`: until its next restart attempt is due. */
  readonly phase: "down" | "starting" | "up" | "stopping" | "waiting";
  /** What the supervisor wants next: that it stops, or that it is started once it and its siblings are down. */
  readonly goal: "none" | "stop" | "start";
  /** Null once its start has succeeded. */
  readonly cause: StartCause | null;
  /** How often it was started. */
  readonly incarnation: number;
  readonly restarts: BackoffState;
}

export interface SupervisorFlags extends IntensityLimit {
  readonly strategy: Strategy;
  readonly autoShutdown: AutoShutdown;
  /** A dynamic supervisor stops its children all at once and forgets those that have ended. */
  readonly dynamic: boolean;
  readonly maxChildren: number;
}

export interface SupervisorState {
  /** Path from the root. */
  readonly id: string;
  readonly flags: SupervisorFlags;
  readonly phase: "down" | "starting" | "running" | "stopping";
  /** In start order. Changed in place: it belongs to the latest state, and earlier states must not be used any more. */
  readonly children: Children;
  /** The times at which restarts were needed (monotonic ms), within the period of the intensity. */
  readonly failures: readonly number[];
  /** Why it is stopping, or stopped. */
  readonly exit: ExitReason | null;
  /** The time is over: children that are left are stopped all at once. */
  readonly overdue: boolean;
}

export type DeclaredChild = Pick<
  ChildState,
  "id" | "type" | "restart" | "significant" | "shutdown" | "backoff" | "lack"
>;

/** The fields of a spec that the state keeps. */
export function declaredChild(
  spec: Omit<DeclaredChild, "type" | "lack"> & Parameters<typeof lackOf>[0],
  type: ChildState["type"],
): DeclaredChild {
  const { id, restart, significant, shutdown, backoff } = spec;
  return { id, type, restart, significant, shutdown, backoff, lack: lackOf(spec) };
}

export const NEVER_FAILED: BackoffState = Object.freeze({ attempts: 0, upSince: null });

export function newSupervisor(id: string, flags: SupervisorFlags): SupervisorState {
  return { id, flags, phase: "down", children: childrenOf([]), failures: [], exit: null, overdue: false };
}

export function newChild(child: DeclaredChild, cause: StartCause, incarnation = 0): ChildState {
  return {
    ...child,
    declared: cause.kind === "supervisor_start",
    phase: "down",
    goal: "start",
    cause,
    incarnation,
    restarts: NEVER_FAILED,
  };
}

export function findChild(state: SupervisorState, id: string): ChildState | undefined {
  return state.children.get(id);
}

/** Its start is part of the supervisor's own start, and is not over. */
function startsWithSupervisor({ cause }: ChildState): boolean {
  return cause?.kind === "supervisor_start";
}

/** It runs, or will run, and is not being stopped for good. */
function countsOn({ phase, goal }: ChildState): boolean {
  return goal === "start" || phase === "starting" || phase === "up" || phase === "waiting";
}

/** The groups that events ask for, kept up to date so that no event has to walk over all children. */
export const GROUPS = {
  alive: isAlive,
  stopping: ({ phase }: ChildState) => phase === "stopping",
  toStop: (child: ChildState) => isAlive(child) && child.goal !== "none",
  toStart: ({ phase, goal }: ChildState) => phase === "down" && goal === "start",
  starting: ({ phase }: ChildState) => phase === "starting",
  startingWithSupervisor: (child: ChildState) => child.phase === "starting" && startsWithSupervisor(child),
  unstarted: startsWithSupervisor,
  /** Held back from the supervisor's start. */
  heldBack: (child: ChildState) => child.phase === "down" && child.goal !== "start" && startsWithSupervisor(child),
  waiting: ({ phase }: ChildState) => phase === "waiting",
  significant: (child: ChildState) => child.significant && countsOn(child),
  running: ({ phase }: ChildState) => phase === "up" || phase === "stopping",
  supervisors: ({ type }: ChildState) => type === "supervisor",
  aliveSupervisors: (child: ChildState) => child.type === "supervisor" && isAlive(child),
};

export const TALLIES = {
  aliveWorkers: (child: ChildState) => (child.type === "worker" && isAlive(child) ? child.shutdown : undefined),
  /** Those of them that have not been asked to stop. */
  unaskedWorkers: (child: ChildState) =>
    child.type === "worker" && isAlive(child) && child.phase !== "stopping" ? child.shutdown : undefined,
};

export type Children = GroupedList<ChildState, keyof typeof GROUPS, keyof typeof TALLIES, Shutdown>;

export function childrenOf(children: Iterable<ChildState>): Children {
  const list: Children = new GroupedList(GROUPS, TALLIES);
  for (const child of children) list.add(child);
  return list;
}

/** It runs, starts or stops. */
export function isAlive({ phase }: ChildState): boolean {
  return phase === "starting" || phase === "up" || phase === "stopping";
}

export function childPath(state: SupervisorState, id: string): string {
  return `${state.id}/${id}`;
}
