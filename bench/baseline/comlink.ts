import { Worker } from "node:worker_threads";
import type { Endpoint } from "comlink";
import type { NodeEndpoint } from "comlink/dist/umd/node-adapter.js";
import type { SmallObject } from "../payloads.js";
import type { CallPeer } from "./call-peer.js";

export interface RemoteResponder {
  handle(message: SmallObject): number;
}

/** Comlink's adapter from a Node port to its endpoint. */
export type NodeAdapter = (port: NodeEndpoint) => Endpoint;

export const comlink: CallPeer = {
  name: "comlink",
  how: "wrap(worker)",
  async connect() {
    const { default: library } = await import("comlink");
    const { default: adapter } = await import("comlink/dist/umd/node-adapter.js");
    const worker = new Worker(new URL("./comlink.worker.js", import.meta.url));
    const responder = library.wrap<RemoteResponder>((adapter as unknown as NodeAdapter)(worker));
    return { call: (message) => responder.handle(message), close: () => worker.terminate() };
  },
};
