import { parentPort } from "node:worker_threads";
import comlink from "comlink";
import nodeEndpoint from "comlink/dist/umd/node-adapter.js";
import type { SmallObject } from "../payloads.js";
import type { NodeAdapter } from "./comlink.js";

const endpoint = (nodeEndpoint as unknown as NodeAdapter)(parentPort as NonNullable<typeof parentPort>);
comlink.expose(
  {
    handle: (message: SmallObject) => message.id,
    ask: (answer: () => Promise<number>) => answer(),
    giveBack: (buffer: ArrayBuffer) => comlink.transfer(buffer, [buffer]),
  },
  endpoint,
);
