import { parentPort } from "node:worker_threads";
import comlink from "comlink";
import nodeEndpoint from "comlink/dist/umd/node-adapter.js";
import type { NodeAdapter } from "../baseline/comlink.js";
import { WORK } from "./work.js";

comlink.expose({ ...WORK }, (nodeEndpoint as unknown as NodeAdapter)(parentPort as NonNullable<typeof parentPort>));
