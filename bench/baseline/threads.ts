import type { SmallObject } from "../payloads.js";
import type { CallPeer } from "./call-peer.js";

interface Responder {
  handle(message: SmallObject): PromiseLike<number>;
}

export const threads: CallPeer = {
  name: "threads",
  how: "spawn(worker)",
  async connect() {
    const { spawn, Thread, Worker } = await import("threads");
    // It adds a listener for every call under way.
    const worker = new Worker("./threads.worker.js").setMaxListeners(0);
    const responder = await spawn<Responder>(worker);
    return { call: (message) => responder.handle(message), close: () => Thread.terminate(responder) };
  },
};
