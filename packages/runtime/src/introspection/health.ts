import type { TreeNode } from "./tree.js";

/** What keeps a system from being live or ready. */
export interface HealthProblem {
  /** Path of what it is about; the root's for the system itself. */
  readonly id: string;
  /** In words: "restarting", "suspended", "its mailbox has been full for 1.4 s". */
  readonly problem: string;
}

/** Whether a system should be left running, and whether it should get work. */
export interface SystemHealth {
  /** False when only a new process can help: the root has given up, or main's guard does not run. */
  readonly live: boolean;
  /**
   * False while it is not live or is stopping, and while a permanent child is restarting, is suspended, or has a mailbox
   * that has been full for over a second and has not been half empty since.
   */
  readonly ready: boolean;
  readonly problems: readonly HealthProblem[];
}

/** What it is judged by. */
export interface HealthFacts {
  readonly tree: TreeNode;
  readonly gaveUp: boolean;
  readonly isStopping: boolean;
  /** For how long main's guard has not looked at the threads. */
  readonly guardMissedMs: number;
  /** Full mailboxes by path: for how long. */
  readonly fullForMs: ReadonlyMap<string, number>;
}

/** The guard looks at every thread once a second, and later when main has other work. */
const GUARD_MISSED_MS = 5_000;
const FULL_MS = 1_000;

export function healthOf({ tree, gaveUp, isStopping, guardMissedMs, fullForMs }: HealthFacts): SystemHealth {
  const fatal: HealthProblem[] = [];
  if (gaveUp) fatal.push({ id: tree.id, problem: "the root has given up" });
  else if (guardMissedMs > GUARD_MISSED_MS) {
    fatal.push({ id: tree.id, problem: `main's guard has not run for ${seconds(guardMissedMs)}` });
  }
  const passing: HealthProblem[] = [];
  if (!gaveUp && (isStopping || tree.state === "stopped")) {
    passing.push({ id: tree.id, problem: tree.state === "stopped" ? "stopped" : "stopping" });
  }
  const look = ({ id, restart, state, stats, children = [] }: TreeNode): void => {
    if (restart === "permanent") {
      const fullMs = fullForMs.get(id) ?? 0;
      if (state === "restarting") passing.push({ id, problem: "restarting" });
      else if (stats?.state === "suspended") passing.push({ id, problem: "suspended" });
      if (fullMs > FULL_MS) passing.push({ id, problem: `its mailbox has been full for ${seconds(fullMs)}` });
    }
    children.forEach(look);
  };
  if (!isStopping && tree.state !== "stopped") tree.children?.forEach(look);
  const live = fatal.length === 0;
  return { live, ready: live && passing.length === 0, problems: [...fatal, ...passing] };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
