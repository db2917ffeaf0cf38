import { MessageChannel } from "node:worker_threads";
import type { Contender, Round, Runner } from "../../contender.js";
import { ask, startThread, stopThreads } from "./threads.js";

/** A message goes from a worker through `length` others and back to where it came from. */
export function postMessageChain(length: number): Contender {
  return {
    name: "postMessage",
    how: "MessageChannel",
    async start(): Promise<Runner> {
      const hops = Array.from({ length: length + 1 }, () => new MessageChannel());
      const end = startThread("./chain-end.worker.js", [hops[length].port2, hops[0].port1]);
      const forwarders = Array.from({ length }, (_, i) =>
        startThread("./forwarder.worker.js", [hops[i].port2, hops[i + 1].port1]),
      );
      return {
        round: (work) => ask<Round>(end, work),
        stop: () => stopThreads([end, ...forwarders]),
      };
    },
  };
}
