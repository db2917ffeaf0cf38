import { actorCalls, actorRemote, processCalls } from "../actors/calls-from-main.js";
import { poolTasks, processTasks } from "../actors/pool-tasks.js";
import { type CallPeer, pipelined, sequential } from "../baseline/call-peer.js";
import { comlink } from "../baseline/comlink.js";
import { nact } from "../baseline/nact.js";
import { piscina, piscinaTuned } from "../baseline/piscina.js";
import { poolifier } from "../baseline/poolifier.js";
import { postMessagePipelined, postMessageSequential } from "../baseline/post-message/calls-from-main.js";
import { threads } from "../baseline/threads.js";
import { tinypool, tinypoolProcess } from "../baseline/tinypool.js";
import { workerpool } from "../baseline/workerpool.js";
import type { Bench } from "../contender.js";

const topology = "main-to-actor";
const PEERS: readonly CallPeer[] = [comlink, piscina, piscinaTuned, workerpool, poolifier, tinypool, threads, nact];

function pipelinedBench(window: number, peers: readonly CallPeer[]): Bench {
  return {
    topology,
    work: `pipelined calls, ${window} under way`,
    measures: "rate",
    units: "calls",
    baseline: "postMessage",
    contenders: [
      pipelined(actorCalls, window),
      pipelined(actorRemote, window),
      postMessagePipelined(window),
      ...peers.map((peer) => pipelined(peer, window)),
    ],
  };
}

export const mainToActor: readonly Bench[] = [
  pipelinedBench(256, PEERS),
  pipelinedBench(1024, [piscina, piscinaTuned]),
  {
    topology,
    work: "tiny tasks of a pool, 64 under way",
    measures: "rate",
    units: "tasks",
    baseline: "piscina",
    contenders: [pipelined(poolTasks, 64), pipelined(piscina, 64)],
  },
  {
    topology,
    work: "tiny tasks of a process, 64 under way",
    measures: "rate",
    units: "tasks",
    baseline: "tinypool, child_process",
    contenders: [pipelined(processTasks, 64), pipelined(poolTasks, 64), pipelined(tinypoolProcess, 64)],
  },
  {
    topology,
    work: "calls to an actor of a process, 64 under way",
    measures: "rate",
    units: "calls",
    baseline: "tinypool, child_process",
    contenders: [pipelined(processCalls, 64), pipelined(actorCalls, 64), pipelined(tinypoolProcess, 64)],
  },
  {
    topology,
    work: "one call at a time",
    measures: "latency",
    units: "calls",
    baseline: "postMessage",
    contenders: [
      sequential(actorCalls),
      sequential(processCalls),
      sequential(actorRemote),
      postMessageSequential(),
      ...PEERS.map(sequential),
    ],
  },
];
