import { actorCallback } from "../actors/callbacks.js";
import { sequential } from "../baseline/call-peer.js";
import { comlinkCallback } from "../baseline/callbacks.js";
import type { Bench } from "../contender.js";

export const callbackLatency: readonly Bench[] = [
  {
    topology: "callback-latency",
    work: "a call from main with a callback that is called once",
    measures: "latency",
    units: "calls",
    baseline: "comlink",
    contenders: [sequential(actorCallback), sequential(comlinkCallback)],
  },
];
