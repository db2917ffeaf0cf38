import type { CallPeer } from "./call-peer.js";

const tinypoolOf = (name: string, how: string, runtime: "worker_threads" | "child_process"): CallPeer => ({
  name,
  how,
  async connect() {
    const { default: Tinypool } = await import("tinypool");
    const pool = new Tinypool({
      runtime,
      filename: new URL("./pool-task.js", import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1024,
    });
    return { call: (message) => pool.run(message), close: () => pool.destroy() };
  },
});

export const tinypool = tinypoolOf("tinypool", "1 thread, concurrentTasksPerWorker 1024", "worker_threads");
export const tinypoolProcess = tinypoolOf(
  "tinypool, child_process",
  "1 process, concurrentTasksPerWorker 1024",
  "child_process",
);
