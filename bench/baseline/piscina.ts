import { fileURLToPath } from "node:url";
import type { CallPeer } from "./call-peer.js";

export const piscina: CallPeer = {
  name: "piscina",
  how: "1 thread",
  async connect() {
    const { Piscina } = await import("piscina");
    const pool = new Piscina({
      filename: fileURLToPath(new URL("./pool-task.js", import.meta.url)),
      minThreads: 1,
      maxThreads: 1,
    });
    return { call: (message) => pool.run(message), close: () => pool.destroy() };
  },
};
