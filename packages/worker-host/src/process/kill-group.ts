/**
 * Ends a process that was started as the head of a group, and what it has started. Does nothing where there are no groups,
 * and for 0, a process that could not be started: to the kernel that is the group of the caller.
 */
export function killGroup(pid: number): void {
  if (process.platform === "win32" || pid === 0) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // None of the group is left.
  }
}
