import { streamToActor, streamToMain } from "../actors/streams.js";
import { movedStreamToMain, movedStreamToWorker } from "../baseline/post-message/streams.js";
import type { Bench } from "../contender.js";
import { SMALL } from "../payloads.js";

const topology = "stream-throughput";

export const streamThroughput: readonly Bench[] = [
  {
    topology,
    work: `${SMALL} from actor to main`,
    measures: "rate",
    units: "items",
    baseline: "TransformStream",
    contenders: [streamToMain(SMALL), movedStreamToMain(SMALL)],
  },
  {
    topology,
    work: `${SMALL} from actor to actor`,
    measures: "rate",
    units: "items",
    baseline: "TransformStream",
    contenders: [streamToActor(SMALL), movedStreamToWorker(SMALL)],
  },
];
