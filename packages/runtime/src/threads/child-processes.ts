import { processStat } from "./process-stat.js";

/**
 * The processes that a thread has started. Linux only: elsewhere nothing tells a process from a later one with the same
 * number, so there the processes outlive their actor.
 */
export class ChildProcesses {
  /** When each was started, by its process id. */
  readonly #startedAt = new Map<number, string>();

  started(pid: number): void {
    if (process.platform !== "linux") warnOnce();
    const at = startOf(pid);
    if (at !== undefined) this.#startedAt.set(pid, at);
  }

  ended(pid: number): void {
    this.#startedAt.delete(pid);
  }

  /** Kills the processes that are left: their actor had its time to end them in order. */
  kill(): void {
    for (const [pid, at] of this.#startedAt) {
      if (startOf(pid) !== at) continue;
      killProcess(pid);
    }
    this.#startedAt.clear();
  }
}

let warned = false;

/** By Node's own way to warn, because this is about the whole process. */
function warnOnce(): void {
  if (warned) return;
  warned = true;
  process.emitWarning(`a process that an actor starts outlives its actor on ${process.platform}`, {
    code: "MINI_OTP_CHILD_PROCESS",
    detail: "End it in terminate(). On Linux it ends with its actor.",
  });
}

/** When a child of this process was started, in the kernel's ticks; undefined when there is no such child. */
function startOf(pid: number): string | undefined {
  const stat = processStat(pid);
  return stat?.parent === process.pid ? stat.startedAt : undefined;
}

export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has just ended, or runs as another user.
  }
}
