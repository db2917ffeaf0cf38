import { fileURLToPath } from "node:url";
import type { SmallObject } from "../payloads.js";
import type { CallPeer } from "./call-peer.js";

export const poolifier: CallPeer = {
  name: "poolifier",
  how: "FixedThreadPool(1), no events",
  async connect() {
    const { FixedThreadPool } = await import("poolifier");
    const pool = new FixedThreadPool<SmallObject, number>(
      1,
      fileURLToPath(new URL("./poolifier.worker.js", import.meta.url)),
      { enableEvents: false },
    );
    return { call: (message) => pool.execute(message), close: () => pool.destroy() };
  },
};
