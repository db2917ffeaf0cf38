import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { NodeAdapter } from "./comlink.js";
import type { TransferPeer } from "./transfer-peer.js";

interface Responder {
  giveBack(buffer: ArrayBuffer): Promise<ArrayBuffer>;
}

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export const postMessageTransfer: TransferPeer = {
  name: "postMessage",
  how: "worker.postMessage with a transfer list",
  async connect() {
    const worker = new Worker(new URL("./post-message/give-back.worker.js", import.meta.url));
    return {
      give: (buffer) =>
        new Promise((resolve) => {
          worker.once("message", resolve);
          worker.postMessage(buffer, [buffer]);
        }),
      close: () => worker.terminate(),
    };
  },
};

export const comlinkTransfer: TransferPeer = {
  name: "comlink",
  how: "Comlink.transfer both ways",
  async connect() {
    const { default: library } = await import("comlink");
    const { default: adapter } = await import("comlink/dist/umd/node-adapter.js");
    const worker = new Worker(new URL("./comlink.worker.js", import.meta.url));
    const responder = library.wrap<Responder>((adapter as unknown as NodeAdapter)(worker));
    return {
      give: (buffer) => responder.giveBack(library.transfer(buffer, [buffer])),
      close: () => worker.terminate(),
    };
  },
};

export const piscinaTransfer: TransferPeer = {
  name: "piscina",
  how: "transferList, move() back",
  async connect() {
    const { Piscina } = await import("piscina");
    const pool = new Piscina({ filename: path("./piscina-give-back.js"), minThreads: 1, maxThreads: 1 });
    return { give: (buffer) => pool.run(buffer, { transferList: [buffer] }), close: () => pool.destroy() };
  },
};

export const tinypoolTransfer: TransferPeer = {
  name: "tinypool",
  how: "transferList, Tinypool.move() back",
  async connect() {
    const { default: Tinypool } = await import("tinypool");
    const pool = new Tinypool({
      filename: new URL("./tinypool-give-back.js", import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
    });
    return { give: (buffer) => pool.run(buffer, { transferList: [buffer] }), close: () => pool.destroy() };
  },
};

export const workerpoolTransfer: TransferPeer = {
  name: "workerpool",
  how: "transfer, new Transfer() back",
  async connect() {
    const { default: library } = await import("workerpool");
    const options = { minWorkers: 1, maxWorkers: 1, workerType: "thread" } as const;
    const pool = library.pool(path("./workerpool.worker.js"), options);
    return {
      give: (buffer) => pool.exec("giveBack", [buffer], { transfer: [buffer] }),
      close: () => pool.terminate(true),
    };
  },
};

export const threadsTransfer: TransferPeer = {
  name: "threads",
  how: "Transfer() both ways",
  async connect() {
    const { spawn, Thread, Transfer, Worker: ThreadsWorker } = await import("threads");
    const responder = await spawn<Responder>(new ThreadsWorker("./threads.worker.js"));
    return { give: (buffer) => responder.giveBack(Transfer(buffer)), close: () => Thread.terminate(responder) };
  },
};
