import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";

export type RestartType = "permanent" | "transient" | "temporary";

/** How long a stopping child may take: milliseconds, not at all, or as long as it needs. */
export type Shutdown = number | "brutal_kill" | "infinity";

export type StartOutcome<R = unknown> =
  | { readonly kind: "started"; readonly ref: R }
  /** init returned `ignore()`: nothing runs, and that is no failure. */
  | { readonly kind: "ignored" }
  | { readonly kind: "failed"; readonly reason: ExitReason };

export interface StopRequest {
  /** What the child's `terminate` is told, and the exit reason of a child that stops in order. */
  readonly reason: ExitReason;
  readonly shutdown: Shutdown;
  /** Clock time in ms by which it must have ended, whatever `shutdown` says: its share of the tree's deadline. */
  readonly deadlineAt?: number;
  /** The supervisor is going to start it again (a bystander of one_for_all or rest_for_one). */
  readonly restarting: boolean;
}

export interface StopOutcome {
  readonly reason: ExitReason;
  /** Messages handled, and messages given up, after the stop was asked for. */
  readonly drained: number;
  readonly dropped: number;
  /** It had to be killed. One whose start was under way was not: its start is given up, and nothing is cut short. */
  readonly killed: boolean;
  /** Its thread did not end: given up and left behind. */
  readonly zombie: boolean;
  /** Of a supervisor: what became of its children, in the order they ended. */
  readonly children?: readonly ChildStopReport[];
}

export interface ChildStopReport extends StopOutcome {
  /** Path from the root. */
  readonly id: string;
  /** What it was when its stop began. `restarting`: between two lives, waiting for a start or in the middle of one. */
  readonly state: "running" | "restarting";
}

/** Called by a child, synchronously, when it ended by itself. */
export type OnExit = (reason: ExitReason) => void;

/**
 * What a supervisor supervises: one slot, whose threads come and go. The supervisor's side of the contract:
 * `start` only when nothing of it runs, `dispose` only once it has ended, nothing after `dispose`.
 */
export interface Child<R = unknown> {
  readonly type: "worker" | "supervisor";

  /** The same object over all restarts; of a resource, what runs now. */
  readonly ref: R;

  /** Messages that wait in it, running or not. Absent: it has no mailbox. */
  readonly queued?: number;

  /**
   * Starts it. Never rejects. After `started`, `onExit` is called exactly once, at the moment it ends by itself;
   * never after `stop` was called, and never for a start that ended `ignored` or `failed`.
   * @param incarnation counts the starts of this child: 1, 2, …
   */
  start(incarnation: number): Promise<StartOutcome<R>>;

  /**
   * Ends it: asks, waits as long as `shutdown` and `deadlineAt` allow, kills. Never rejects, and resolves no
   * matter what the child does: a thread that survives its kill is reported as a zombie. Stops a start in
   * progress too, whose promise then resolves `failed`.
   *
   * It may be called again while it is stopping, with a limit no later than the one before: all calls resolve to
   * the same outcome. And it may come too late, in the moment between its end, or the failure of its start, and the
   * supervisor's learning of it: then it resolves with that reason.
   */
  stop(request: StopRequest): Promise<StopOutcome>;

  /**
   * It ended and stays down for now, but its spec is kept: its name is freed, messages to it are refused
   * (`noproc`). Undone by the next `start`. Between an exit and the `start` that follows it is *not* called:
   * then the mailbox stays open.
   */
  park?(reason: ExitReason): void;

  /** Its spec is gone: name, mailbox and everything else is released, what is queued becomes dead letters. */
  dispose(): void;
}
