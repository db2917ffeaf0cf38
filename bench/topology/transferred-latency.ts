import { actorTransfers, transfersFromMain } from "../actors/transfers.js";
import { postMessageTransferTrips } from "../baseline/post-message/round-trips.js";
import { handedOver, poolifierTransfer } from "../baseline/transfer-peer.js";
import {
  comlinkTransfer,
  piscinaTransfer,
  postMessageTransfer,
  threadsTransfer,
  tinypoolTransfer,
  workerpoolTransfer,
} from "../baseline/transfers.js";
import type { Bench } from "../contender.js";
import { TRANSFERRED } from "../payloads.js";

const topology = "transferred-latency";

export const transferredLatency: readonly Bench[] = [
  {
    topology,
    work: `${TRANSFERRED} from main and back`,
    measures: "latency",
    units: "round trips",
    baseline: "postMessage",
    contenders: [
      transfersFromMain,
      postMessageTransfer,
      comlinkTransfer,
      piscinaTransfer,
      workerpoolTransfer,
      poolifierTransfer,
      tinypoolTransfer,
      threadsTransfer,
    ].map(handedOver),
  },
  {
    topology,
    work: `${TRANSFERRED} from actor to actor and back`,
    measures: "latency",
    units: "round trips",
    baseline: "postMessage",
    contenders: [actorTransfers, postMessageTransferTrips()],
  },
];
