import { Worker } from "node:worker_threads";
import type { CallPeer } from "./call-peer.js";
import type { NodeAdapter } from "./comlink.js";

export interface RemoteAsker {
  ask(answer: () => number): Promise<number>;
}

/** A call with a callback that answers with the message's id, on bare comlink. */
export const comlinkCallback: CallPeer = {
  name: "comlink",
  how: "wrap(worker), proxy(callback)",
  async connect() {
    const { default: library } = await import("comlink");
    const { default: adapter } = await import("comlink/dist/umd/node-adapter.js");
    const worker = new Worker(new URL("./comlink.worker.js", import.meta.url));
    const asker = library.wrap<RemoteAsker>((adapter as unknown as NodeAdapter)(worker));
    return {
      call: (message) => asker.ask(library.proxy(() => message.id)),
      close: () => worker.terminate(),
    };
  },
};
