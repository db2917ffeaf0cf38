import type { Bench } from "../contender.js";
import { callbackLatency } from "./callback-latency.js";
import { chainLatency } from "./chain-latency.js";
import { mainToActor } from "./main-to-actor.js";
import { oneToOneThroughput } from "./one-to-one-throughput.js";
import { oneToThreeThroughput } from "./one-to-three-throughput.js";
import { pingPongLatency } from "./ping-pong-latency.js";
import { streamThroughput } from "./stream-throughput.js";
import { threeToOneThroughput } from "./three-to-one-throughput.js";
import { transferredLatency } from "./transferred-latency.js";

export { headline } from "./one-to-one-throughput.js";

export const benches: readonly Bench[] = [
  ...oneToOneThroughput,
  ...threeToOneThroughput,
  ...oneToThreeThroughput,
  ...pingPongLatency,
  ...chainLatency,
  ...mainToActor,
  ...transferredLatency,
  ...callbackLatency,
  ...streamThroughput,
];
