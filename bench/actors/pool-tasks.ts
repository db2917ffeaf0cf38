import { pool, startSystem } from "@mini-otp/runtime";
import type { CallPeer } from "../baseline/call-peer.js";
import type handle from "../baseline/pool-task.js";

/** The function that the other pools run, in a supervised pool with its defaults. */
const poolOf = (name: string, how: string, isolation: "thread" | "process"): CallPeer => ({
  name,
  how,
  async connect() {
    const system = await startSystem();
    const filename = new URL("../baseline/pool-task.js", import.meta.url);
    const tasks = await system.startChild(pool<typeof handle>({ id: "tasks", filename, isolation, maxThreads: 1 }));
    return { call: (message) => tasks.run(message), close: () => system.stop() };
  },
});

export const poolTasks = poolOf("mini-otp pool", "1 thread, defaults", "thread");
export const processTasks = poolOf("mini-otp pool of processes", "1 process, defaults", "process");
