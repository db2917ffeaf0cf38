import type { ActorErrorCode } from "@mini-otp/worker-host/protocol/errors";
import type { RestartType } from "./child.js";
import type { Strategy } from "./restart-strategy.js";
import { type ChildState, findChild, isAlive, type SupervisorState } from "./supervisor-state.js";

/** What `countChildren` says. */
export interface ChildCounts {
  /** All children that have a spec, running or not. */
  readonly specs: number;
  /** How many of these run. */
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** `restarting`: a start is under way or will be attempted. */
export type ChildStatus = "running" | "restarting" | "stopped";

/** What is told of every child. */
export interface CommonChildInfo {
  /** The spec's id. */
  readonly id: string;
  readonly state: ChildStatus;
  readonly restart: RestartType;
}

/** An actor, a pool or a resource. `R` is the type of its reference. */
export interface WorkerInfo<R = any> extends CommonChildInfo {
  readonly type: "worker";
  readonly ref: R;
}

/** A supervisor, a dynamic supervisor or a router. */
export interface ChildSupervisorInfo extends CommonChildInfo {
  readonly type: "supervisor";
  readonly ref: AnySupervisorRef;
}

/** What `whichChildren` tells of each child. `type` says what its reference is. */
export type ChildInfo<R = any> = WorkerInfo<R> | ChildSupervisorInfo;

/** The restarts that count against a supervisor's intensity now, and their limit. */
export interface RecentRestarts {
  readonly count: number;
  readonly intensity: number;
  readonly periodMs: number;
}

/** The flags that a supervisor restarts its children by. */
export interface SupervisorInfo {
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly periodMs: number;
  /** It forgets children that have ended, including those that `terminateChild` ended. */
  readonly dynamic: boolean;
}

/** A supervisor or a router as it tells of itself and its children. */
export interface AnySupervisorRef {
  /** Path from the root. */
  readonly id: string;

  readonly flags: SupervisorInfo;

  /** Every child, in reverse start order. */
  whichChildren(): ChildInfo[];

  countChildren(): ChildCounts;

  /** How many restarts count against its intensity now: those needed within `periodMs`. One more than `intensity` is too many. */
  recentRestarts(): RecentRestarts;
}

export type AdministrationCall = "startChild" | "terminateChild" | "restartChild" | "deleteChild";

export function childStatus({ phase, goal }: ChildState): ChildStatus {
  switch (phase) {
    case "up":
    case "stopping":
      return "running";
    case "starting":
    case "waiting":
      return "restarting";
    case "down":
      return goal === "start" ? "restarting" : "stopped";
  }
}

/** The error with which a running supervisor refuses a call, or null. */
export function refusal(state: SupervisorState, call: AdministrationCall, id: string): ActorErrorCode | null {
  const child = findChild(state, id);
  if (call === "startChild") return startRefusal(state, child);
  if (child === undefined) return "ERR_NOT_FOUND";
  if (call === "terminateChild") return null;
  switch (childStatus(child)) {
    case "running":
      return "ERR_RUNNING";
    case "restarting":
      return "ERR_RESTARTING";
    case "stopped":
      return null;
  }
}

function startRefusal({ children, flags }: SupervisorState, child: ChildState | undefined): ActorErrorCode | null {
  if (child === undefined) return children.size < flags.maxChildren ? null : "ERR_MAX_CHILDREN";
  return isAlive(child) ? "ERR_ALREADY_STARTED" : "ERR_ALREADY_PRESENT";
}

export function countChildren({ children }: SupervisorState): ChildCounts {
  const specs = children.size;
  const supervisors = children.count("supervisors");
  return { specs, active: children.count("running"), supervisors, workers: specs - supervisors };
}
