import { actorThroughput } from "../actors/throughput.js";
import { postMessageThroughput } from "../baseline/post-message/throughput.js";
import type { Bench } from "../contender.js";
import { SMALL } from "../payloads.js";

export const oneToThreeThroughput: readonly Bench[] = [
  {
    topology: "one-to-three-throughput",
    work: SMALL,
    measures: "rate",
    units: "messages",
    baseline: "postMessage",
    contenders: [actorThroughput(1, 3, SMALL), postMessageThroughput(1, 3, SMALL)],
  },
];
