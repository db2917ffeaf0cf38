import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";

type Spawn = (this: ChildProcess, options: { detached?: boolean }) => unknown;

/**
 * Reports each process that this thread starts and that has to end with it: all except detached ones and those
 * started synchronously, which Node does not publish. `node:child_process` is loaded only when the actor loads it.
 */
export function watchChildProcesses(started: (pid: number) => void, ended: (pid: number) => void): void {
  // Node publishes a process before it is spawned, when it has no number yet.
  subscribe("child_process", (message) => {
    const child = (message as { process: ChildProcess & { spawn: Spawn } }).process;
    const { spawn } = child;
    child.spawn = (options) => {
      Reflect.deleteProperty(child, "spawn");
      const result = spawn.call(child, options);
      const { pid } = child;
      if (pid !== undefined && options.detached !== true) {
        started(pid);
        child.once("exit", () => ended(pid));
      }
      return result;
    };
  });
}
