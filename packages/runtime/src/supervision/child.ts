import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";

/** When a child that has ended is started again: always, unless it ended with `normal` or `shutdown`, or never. */
export type RestartType = "permanent" | "transient" | "temporary";

/** How long a stopping child may take: milliseconds, not at all, or as long as it needs. */
export type Shutdown = number | "brutal_kill" | "infinity";

export type StartOutcome<R = unknown> =
  | { readonly kind: "started"; readonly ref: R }
  /** init returned `ignore()`: nothing runs, and that is no failure. */
  | { readonly kind: "ignored" }
  | { readonly kind: "failed"; readonly reason: ExitReason };

export interface StopRequest {
  /** Passed to the child's `terminate`; also the exit reason of a child that stops in order. */
  readonly reason: ExitReason;
  readonly shutdown: Shutdown;
  /**
   * Clock time in ms by which it must have ended, even if `shutdown` gives it longer: its share of the tree's deadline.
   */
  readonly deadlineAt?: number;
  /** The supervisor will start it again (a bystander of one_for_all or rest_for_one). */
  readonly restarting: boolean;
}

/** What became of a child that was stopped. */
export interface StopOutcome {
  readonly reason: ExitReason;
  /** `drained` messages were handled after the stop was requested, and `dropped` were given up. */
  readonly drained: number;
  readonly dropped: number;
  /**
   * It had to be killed. False when its start was under way: then the start is given up, and no work is interrupted.
   */
  readonly killed: boolean;
  /** Its thread did not end, and was left behind. */
  readonly zombie: boolean;
  /** For a supervisor: the outcomes of its children, in the order in which they ended. */
  readonly children?: readonly ChildStopReport[];
  /** For a supervisor with `threads`: what became of its light actors. */
  readonly members?: MembersStopReport;
}

/** Light actors whose supervisor was stopped. */
export interface MembersStopReport {
  /** They ended in order. */
  readonly stopped: number;
  /** They ended with their partition, which was killed, and what waited in them was not handled. */
  readonly killed: number;
  /** The paths of the first 100 that were killed. */
  readonly killedIds: readonly string[];
}

/** What became of one child, in the report of the stop of all. */
export interface ChildStopReport extends StopOutcome {
  /** Path from the root. */
  readonly id: string;
  /**
   * Its state when its stop began. `restarting`: between two incarnations, waiting for a start or in the middle of one.
   */
  readonly state: "running" | "restarting";
}

/** A child calls this synchronously when it ended by itself. */
export type OnExit = (reason: ExitReason) => void;

/**
 * What a supervisor supervises: one slot, whose threads come and go. The supervisor calls `start` only when nothing of
 * it runs, `dispose` only once it has ended, and nothing after `dispose`.
 */
export interface Child<R = unknown> {
  readonly type: "worker" | "supervisor";

  /** The same object over all restarts; for a resource, the value of the current incarnation. */
  readonly ref: R;

  /** How many messages wait in it, running or not. Absent when it has no mailbox. */
  readonly queued?: number;

  /**
   * Starts it. Never rejects. After `started`, `onExit` is called exactly once, at the moment it ends by itself;
   * never after `stop` was called, and never for a start that ended `ignored` or `failed`.
   * @param incarnation counts the starts of this child: 1, 2, …
   */
  start(incarnation: number): Promise<StartOutcome<R>>;

  /**
   * Ends it: asks, waits as long as `shutdown` and `deadlineAt` allow, then kills. Never rejects, and always resolves:
   * a thread that survives its kill is reported as a zombie. It also stops a start in progress, whose promise then
   * resolves `failed`.
   *
   * It may be called again while the child is stopping, with a limit no later than the one before: all calls resolve to
   * the same outcome. It may also come too late, after the child has ended or failed to start, and before the
   * supervisor knows: then it resolves with that reason.
   */
  stop(request: StopRequest): Promise<StopOutcome>;

  /**
   * The child ended and stays down for now, but its spec is kept: frees its name, and refuses messages to it
   * (`noproc`). The next `start` undoes this. It is *not* called between an exit and the `start` that follows it: then
   * the mailbox stays open.
   */
  park?(reason: ExitReason): void;

  /** Its spec is gone: releases its name, its mailbox and everything else. Queued messages become dead letters. */
  dispose(): void;
}
