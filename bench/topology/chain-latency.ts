import { actorChain } from "../actors/chain.js";
import { postMessageChain } from "../baseline/post-message/chain.js";
import type { Bench } from "../contender.js";

const LENGTH = 4;

export const chainLatency: readonly Bench[] = [
  {
    topology: "chain-latency",
    work: `small object through ${LENGTH} actors and back`,
    measures: "latency",
    units: "messages",
    baseline: "postMessage",
    contenders: [actorChain(LENGTH), postMessageChain(LENGTH)],
  },
];
