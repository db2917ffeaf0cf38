import { type ExitReason, isCleanExit, NORMAL, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { nextRestart } from "./backoff.js";
import type { StopRequest } from "./child.js";
import type { RestartBudget } from "./report.js";
import { affectedBy, afterExit, isCleanStop, shutsDown } from "./restart-strategy.js";
import { startError } from "./start-error.js";
import {
  type ChildState,
  childPath,
  childrenOf,
  isAlive,
  NEVER_FAILED,
  type StartCause,
  type SupervisorState,
} from "./supervisor-state.js";
import { type Action, Turn } from "./supervisor-turn.js";

export type SupervisorEvent =
  | { readonly kind: "start"; readonly children: readonly ChildState[] }
  | { readonly kind: "stop"; readonly reason: ExitReason }
  | { readonly kind: "overdue" }
  | { readonly kind: "child_started"; readonly id: string; readonly incarnation: number }
  | { readonly kind: "child_ignored"; readonly id: string; readonly incarnation: number }
  | {
      readonly kind: "child_failed";
      readonly id: string;
      readonly incarnation: number;
      readonly reason: ExitReason;
      readonly random: number;
    }
  | { readonly kind: "child_exited"; readonly id: string; readonly reason: ExitReason; readonly random: number }
  | { readonly kind: "child_stopped"; readonly id: string; readonly reason: ExitReason; readonly request: StopRequest }
  | { readonly kind: "restart_due"; readonly id: string }
  | { readonly kind: "start_child"; readonly child: ChildState }
  | { readonly kind: "terminate_child" | "restart_child" | "delete_child"; readonly id: string };

/**
 * The state of a supervisor after one event at `at` (monotonic ms), and the actions to perform. Administration must
 * have passed `refusal`. `state` must not be used afterwards, because the new state takes over its children.
 */
export function step(
  state: SupervisorState,
  event: SupervisorEvent,
  at: number,
): { readonly state: SupervisorState; readonly actions: readonly Action[] } {
  const turn = new Turn(state, at);
  handle(turn, event);
  advance(turn);
  return turn;
}

function handle(turn: Turn, event: SupervisorEvent): void {
  switch (event.kind) {
    case "start":
      return turn.change({
        phase: "starting",
        children: childrenOf(event.children),
        failures: [],
        exit: null,
        overdue: false,
      });
    case "stop":
      return shutDown(turn, event.reason);
    case "overdue":
      return turn.change({ overdue: true });
    case "start_child":
      return turn.state.children.add(event.child);
    default: {
      const child = turn.child(event.id);
      if (child !== undefined) handleChild(turn, child, event);
    }
  }
}

type ChildEvent = Extract<SupervisorEvent, { id: string }>;

function handleChild(turn: Turn, child: ChildState, event: ChildEvent): void {
  switch (event.kind) {
    case "child_started":
      return isCurrentStart(child, event.incarnation) ? started(turn, child) : undefined;
    case "child_ignored":
      return isCurrentStart(child, event.incarnation) ? ignored(turn, child) : undefined;
    case "child_failed":
      return isCurrentStart(child, event.incarnation)
        ? startFailed(turn, child, event.reason, event.random)
        : undefined;
    case "child_exited":
      return exited(turn, child, event.reason, event.random);
    case "child_stopped":
      return stopped(turn, child, event.reason, event.request);
    case "restart_due":
      return child.phase === "waiting" ? restartDue(turn, child) : undefined;
    case "terminate_child":
      return terminate(turn, child);
    case "restart_child":
      return turn.update(child.id, { goal: "start", cause: { kind: "restart_child" }, restarts: NEVER_FAILED });
    case "delete_child":
      return turn.dispose(child.id);
  }
}

/** A start that was stopped settles too, and by then another may be under way. */
function isCurrentStart(child: ChildState, incarnation: number): boolean {
  return child.phase === "starting" && child.incarnation === incarnation;
}

function started(turn: Turn, child: ChildState): void {
  turn.reportStarted(child);
  const cause = child.goal === "start" ? child.cause : null;
  turn.update(child.id, { phase: "up", cause, restarts: { ...child.restarts, upSince: turn.at } });
  reply(turn, child, null);
}

function ignored(turn: Turn, child: ChildState): void {
  reply(turn, child, null);
  hasStopped(turn, { ...child, cause: null }, NORMAL);
}

function startFailed(turn: Turn, child: ChildState, reason: ExitReason, random: number): void {
  const isRestart = child.goal === "none" && (child.cause === null || child.cause.kind === "restart");
  const budget = isRestart ? turn.countFailure() : undefined;
  turn.reportStartFailed(child, reason, budget);
  if (budget !== undefined) return failed(turn, child, reason, random, budget);
  if (child.goal !== "none") return hasStopped(turn, child, reason);
  if (child.cause?.kind !== "supervisor_start") return staysDown(turn, child, reason);
  turn.update(child.id, { phase: "down", cause: null });
  shutDown(turn, { kind: "init_failed", error: startError(pathOf(turn, child), child.type, reason, child.lack) });
}

function exited(turn: Turn, child: ChildState, reason: ExitReason, random: number): void {
  // The exit of a child that dies right after its start can arrive before the news that it started.
  if (child.phase === "starting") started(turn, child);
  else if (child.phase !== "up") return;
  if (child.goal !== "none") return bystanderEnded(turn, child, reason);

  const next = afterExit(child.restart, reason);
  const ended = turn.child(child.id)!;
  const budget = next === "restart" ? turn.countFailure() : undefined;
  turn.reportExited(child, reason, budget !== undefined || !isCleanExit(reason) ? "child_terminated" : null, budget);
  if (budget !== undefined) return failed(turn, ended, reason, random, budget);
  staysDown(turn, ended, reason);

  const { children, flags } = turn.state;
  if (shutsDown(flags.autoShutdown, child, children.count("significant") > 0)) shutDown(turn, SHUTDOWN);
}

/** The child ended by itself before its turn to be stopped. */
function bystanderEnded(turn: Turn, child: ChildState, reason: ExitReason): void {
  turn.reportExited(child, reason, isCleanExit(reason) ? null : "shutdown_error");
  hasStopped(turn, child, reason);
}

function stopped(turn: Turn, child: ChildState, reason: ExitReason, request: StopRequest): void {
  if (child.phase !== "stopping") return;
  const wasUp = child.restarts.upSince !== null;
  if (wasUp) turn.reportExited(child, reason, isCleanStop(child.restart, request, reason) ? null : "shutdown_error");
  hasStopped(turn, child, reason);
}

function hasStopped(turn: Turn, child: ChildState, reason: ExitReason): void {
  if (child.goal === "start") turn.update(child.id, { phase: "down" });
  else staysDown(turn, child, reason);
}

/** Handles a failure that has been counted. */
function failed(turn: Turn, child: ChildState, reason: ExitReason, random: number, budget: RestartBudget): void {
  const { flags } = turn.state;
  if (budget.restartsLeft < 0) return giveUp(turn, child, reason);

  const { state: restarts, delayMs } = nextRestart(child.backoff, child.restarts, turn.at, random);
  const cause: StartCause = { kind: "restart", attempt: restarts.attempts, delayMs, reason };
  turn.update(child.id, { phase: "down", goal: "none", cause, restarts });
  // A failed start is retried from a timer even without a delay. Otherwise a supervisor whose child never starts would
  // do nothing else.
  if (child.phase !== "starting" && delayMs === 0) return restartAffected(turn, child.id, cause);
  turn.update(child.id, { phase: "waiting" });
  turn.do({ kind: "schedule_restart", id: child.id, delayMs });
  for (const sibling of affectedBy(flags.strategy, turn.state.children, child.id)) {
    if (sibling.id !== child.id) holdBack(turn, sibling);
  }
}

function restartDue(turn: Turn, child: ChildState): void {
  turn.update(child.id, { phase: "down" });
  if (child.cause !== null) restartAffected(turn, child.id, child.cause);
}

function restartAffected(turn: Turn, failedId: string, cause: StartCause): void {
  const { flags, children } = turn.state;
  for (const child of affectedBy(flags.strategy, children, failedId)) {
    turn.cancelRestart(child);
    // A start that has a caller and has not begun keeps its place in the order.
    if (child.phase === "down" && child.goal === "start" && child.cause !== null) continue;
    if (isAlive(child) && isLostWhenStopped(child)) turn.update(child.id, { goal: "stop" });
    else {
      if (isAlive(child)) reply(turn, child, SHUTDOWN);
      turn.update(child.id, { goal: "start", cause: child.cause?.kind === "supervisor_start" ? child.cause : cause });
    }
  }
}

/** Keeps a sibling down while the child that failed waits for its restart. */
function holdBack(turn: Turn, sibling: ChildState): void {
  turn.cancelRestart(sibling);
  if (isAlive(sibling)) return turn.update(sibling.id, { goal: "stop" });
  if (sibling.cause?.kind === "restart") turn.update(sibling.id, { goal: "none", cause: null });
  if (sibling.cause?.kind === "supervisor_start") turn.update(sibling.id, { goal: "none" });
}

function isLostWhenStopped({ restart, cause }: ChildState): boolean {
  return restart === "temporary" || cause?.kind === "start_child";
}

function terminate(turn: Turn, child: ChildState): void {
  if (child.cause?.kind === "supervisor_start") turn.update(child.id, { cause: null });
  switch (child.phase) {
    case "starting":
    case "up":
      return stop(turn, { ...child, goal: "none" });
    case "stopping":
      return turn.update(child.id, { goal: "none" });
    case "waiting":
      turn.cancelRestart(child);
      return staysDown(turn, turn.child(child.id)!, SHUTDOWN);
    case "down":
      return child.goal === "start" ? staysDown(turn, turn.child(child.id)!, SHUTDOWN) : undefined;
  }
}

/** The child does not run, and no start is due. */
function staysDown(turn: Turn, child: ChildState, reason: ExitReason): void {
  reply(turn, child, reason);
  const { flags, phase } = turn.state;
  if (flags.dynamic || isLostWhenStopped(child)) return turn.dispose(child.id);
  const cause = child.cause?.kind === "supervisor_start" ? child.cause : null;
  turn.update(child.id, { phase: "down", goal: "none", cause });
  if (phase !== "stopping") turn.do({ kind: "park_child", id: child.id, reason });
}

function giveUp(turn: Turn, child: ChildState, reason: ExitReason): void {
  const exit: ExitReason = {
    kind: "shutdown",
    detail: { kind: "reached_max_restart_intensity", id: pathOf(turn, child), reason },
  };
  turn.update(child.id, { phase: "down", goal: "none", cause: null });
  turn.reportEscalated(child, exit);
  shutDown(turn, exit);
}

function pathOf(turn: Turn, child: ChildState): string {
  return childPath(turn.state, child.id);
}

function shutDown(turn: Turn, reason: ExitReason): void {
  const { phase } = turn.state;
  if (phase !== "starting" && phase !== "running") return;
  turn.change({ phase: "stopping", exit: reason });
  for (const child of turn.state.children) {
    turn.cancelRestart(child);
    if (isAlive(child)) turn.update(child.id, { goal: "stop" });
    else staysDown(turn, turn.child(child.id)!, SHUTDOWN);
  }
}

function reply(turn: Turn, { id, cause }: ChildState, failure: ExitReason | null): void {
  if (cause?.kind === "start_child" || cause?.kind === "restart_child") turn.do({ kind: "reply", id, failure });
}

/** Stops and starts the children that are next, after an event. */
function advance(turn: Turn): void {
  switch (turn.state.phase) {
    case "starting":
    case "running":
      return advanceRestarts(turn);
    case "stopping":
      return advanceShutdown(turn);
  }
}

function advanceShutdown(turn: Turn): void {
  const { children, flags, overdue, exit } = turn.state;
  if (flags.dynamic || overdue) {
    // Stops all at once: after that, each child that is alive is stopping.
    if (children.count("alive") > children.count("stopping")) {
      for (const child of children.in("alive")) if (child.phase !== "stopping") stop(turn, child);
    }
  } else {
    const last = children.last("alive");
    if (last !== undefined && last.phase !== "stopping") stop(turn, last);
  }
  if (children.count("alive") > 0) return;
  for (const { id, declared } of children) if (!declared) turn.dispose(id);
  turn.change({ phase: "down" });
  turn.do({ kind: "supervisor_ended", reason: exit! });
}

/** Stops children from right to left, and when none is left to stop starts them from left to right. */
function advanceRestarts(turn: Turn): void {
  resumeStart(turn);
  const { phase, children, flags } = turn.state;
  const last = children.last("toStop");
  if (last !== undefined) return last.phase === "stopping" ? undefined : stop(turn, last);

  const keepsOrderOf = flags.strategy === "one_for_one" ? "startingWithSupervisor" : "starting";
  for (let next = children.first("toStart"); next !== undefined; next = children.first("toStart")) {
    const before = children.first(keepsOrderOf);
    if (before !== undefined && children.precedes(before.id, next.id)) break;
    start(turn, next);
    if (keepsOrder(turn, next)) break;
  }
  if (phase === "starting" && children.count("unstarted") === 0) {
    turn.change({ phase: "running" });
    turn.do({ kind: "supervisor_started" });
  }
}

/** Continues the supervisor's own start, which a failed child has held back, when that child is given up. */
function resumeStart(turn: Turn): void {
  const { phase, children } = turn.state;
  if (phase !== "starting" || children.count("waiting") > 0) return;
  for (const { id } of children.in("heldBack")) turn.update(id, { goal: "start" });
}

/** Whether the children after this one wait until it has started. */
function keepsOrder(turn: Turn, child: ChildState): boolean {
  return turn.state.flags.strategy !== "one_for_one" || child.cause?.kind === "supervisor_start";
}

function start(turn: Turn, child: ChildState): void {
  const incarnation = child.incarnation + 1;
  const restarts = { ...child.restarts, upSince: null };
  turn.update(child.id, { phase: "starting", goal: "none", incarnation, restarts });
  turn.do({ kind: "start_child", id: child.id, incarnation });
}

function stop(turn: Turn, { id, goal }: ChildState): void {
  turn.update(id, { phase: "stopping", goal });
  turn.do({ kind: "stop_child", id, restarting: goal === "start" });
}
