import { pool, startSystem } from "@mini-otp/runtime";
import type { CallPeer } from "../baseline/call-peer.js";
import type handle from "../baseline/pool-task.js";

/** The function that the other pools run, in a supervised pool with its defaults. */
export const poolTasks: CallPeer = {
  name: "mini-otp pool",
  how: "1 thread, defaults",
  async connect() {
    const system = await startSystem();
    const filename = new URL("../baseline/pool-task.js", import.meta.url);
    const tasks = await system.startChild(pool<typeof handle>({ id: "tasks", filename, maxThreads: 1 }));
    return { call: (message) => tasks.run(message), close: () => system.stop() };
  },
};
