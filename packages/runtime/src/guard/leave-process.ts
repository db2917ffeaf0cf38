import { constants } from "node:os";

/**
 * Ends the process at once, even if its threads do not end. Where the process image can be replaced (Node 22.15 and
 * later) the exit code is kept. Otherwise SIGKILL ends it, which the parent sees as 137.
 */
export function leaveProcess(code: number): never {
  const { execve } = process as { execve?(file: string, args: string[], env: Record<string, string>): never };
  try {
    // Replacing the image ends all threads without waiting for any. The shell only exits.
    execve?.call(process, "/bin/sh", ["sh", "-c", `exit ${code}`], {});
  } catch {
    // There is no shell, or the process may not run it.
  }
  process.kill(process.pid, "SIGKILL");
  for (;;);
}

/** Ends the process at once by this signal's default action: the parent sees that it died of the signal. */
export function leaveBySignal(signal: NodeJS.Signals): never {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // The first process of a container does not die of a signal that it does not handle.
  process.exit(128 + constants.signals[signal]);
}
