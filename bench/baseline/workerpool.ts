import { fileURLToPath } from "node:url";
import type { CallPeer } from "./call-peer.js";

export const workerpool: CallPeer = {
  name: "workerpool",
  how: "1 thread",
  async connect() {
    const { default: library } = await import("workerpool");
    const pool = library.pool(fileURLToPath(new URL("./workerpool.worker.js", import.meta.url)), {
      minWorkers: 1,
      maxWorkers: 1,
      workerType: "thread",
    });
    return { call: (message) => pool.exec("handle", [message]), close: () => pool.terminate(true) };
  },
};
