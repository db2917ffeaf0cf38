import { constants } from "node:os";

/**
 * Ends the process at once, whatever its threads do. Where the image can be replaced (Node 22.15 and later) the
 * exit code is kept; else a signal that cannot be handled ends it, which the parent sees as 137.
 */
export function leaveProcess(code: number): never {
  const { execve } = process as { execve?(file: string, args: string[], env: Record<string, string>): never };
  try {
    // Replacing the image ends all threads without waiting for any. The shell has nothing to do but exit.
    execve?.call(process, "/bin/sh", ["sh", "-c", `exit ${code}`], {});
  } catch {
    // No shell, or not permitted.
  }
  process.kill(process.pid, "SIGKILL");
  for (;;);
}

/** Ends the process at once as if it had never handled this signal: the parent sees that it died of it. */
export function leaveBySignal(signal: NodeJS.Signals): never {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // The first process of a container does not die of signals that it does not handle.
  process.exit(128 + constants.signals[signal]);
}
