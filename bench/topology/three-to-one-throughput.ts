import { actorThroughput } from "../actors/throughput.js";
import { postMessageThroughput } from "../baseline/post-message/throughput.js";
import type { Bench } from "../contender.js";
import { SMALL } from "../payloads.js";

export const threeToOneThroughput: readonly Bench[] = [
  {
    topology: "three-to-one-throughput",
    work: SMALL,
    measures: "rate",
    units: "messages",
    baseline: "postMessage",
    contenders: [actorThroughput(3, 1, SMALL), postMessageThroughput(3, 1, SMALL)],
  },
];
