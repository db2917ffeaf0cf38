import { actorThroughput } from "../actors/throughput.js";
import { pipelined } from "../baseline/call-peer.js";
import { erlangOneWay } from "../baseline/erlang.js";
import { goOneWay } from "../baseline/go.js";
import { nactOneWay } from "../baseline/nact.js";
import { piscina, piscinaTuned } from "../baseline/piscina.js";
import { pollingThroughput } from "../baseline/post-message/polling-throughput.js";
import { postMessageThroughput } from "../baseline/post-message/throughput.js";
import type { Bench, Contender } from "../contender.js";
import { BYTES, KILOBYTE, type PayloadName, RECORD, SMALL } from "../payloads.js";

const topology = "one-to-one-throughput";
/** A pool has no one-way messages. The nearest is a task from main with its answer, many at once. */
const PISCINA_WINDOW = 1024;

function bench(payload: PayloadName, ...more: Contender[]): Bench {
  return {
    topology,
    work: payload,
    measures: "rate",
    units: "messages",
    baseline: "postMessage",
    contenders: [
      actorThroughput(1, 1, payload),
      postMessageThroughput(1, 1, payload),
      pollingThroughput(payload),
      ...more,
    ],
  };
}

export const headline = bench(
  SMALL,
  ...[piscina, piscinaTuned].map((peer) =>
    pipelined({ ...peer, how: `run() from main, with answer, ${PISCINA_WINDOW} under way` }, PISCINA_WINDOW),
  ),
  nactOneWay,
  erlangOneWay("small", "two_schedulers"),
  erlangOneWay("small", "unbound"),
  goOneWay("small"),
);

export const oneToOneThroughput: readonly Bench[] = [
  headline,
  bench(RECORD, erlangOneWay("record", "two_schedulers"), erlangOneWay("record", "unbound"), goOneWay("record")),
  bench(KILOBYTE),
  bench(BYTES),
];
