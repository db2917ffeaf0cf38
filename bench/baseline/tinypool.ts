import type { CallPeer } from "./call-peer.js";

export const tinypool: CallPeer = {
  name: "tinypool",
  how: "1 thread, concurrentTasksPerWorker 1024",
  async connect() {
    const { default: Tinypool } = await import("tinypool");
    const pool = new Tinypool({
      filename: new URL("./pool-task.js", import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1024,
    });
    return { call: (message) => pool.run(message), close: () => pool.destroy() };
  },
};
