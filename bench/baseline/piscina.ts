import { fileURLToPath } from "node:url";
import type { Piscina } from "piscina";
import type { CallPeer } from "./call-peer.js";

function peer(name: string, how: string, options: NonNullable<ConstructorParameters<typeof Piscina>[0]>): CallPeer {
  return {
    name,
    how,
    async connect() {
      const { Piscina } = await import("piscina");
      const filename = fileURLToPath(new URL("./pool-task.js", import.meta.url));
      const pool = new Piscina({ filename, minThreads: 1, maxThreads: 1, ...options });
      return { call: (message) => pool.run(message), close: () => pool.destroy() };
    },
  };
}

export const piscina = peer("piscina", "1 thread, defaults", {});

/** The fastest of its options for tasks this small. */
export const piscinaTuned = peer("piscina, tuned", "1 thread, concurrentTasksPerWorker 1024, no timing", {
  concurrentTasksPerWorker: 1024,
  recordTiming: false,
});
