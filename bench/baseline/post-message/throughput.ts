import type { Contender, Runner } from "../../contender.js";
import type { PayloadName } from "../../payloads.js";
import type { ReceiveOrder } from "./receiver.worker.js";
import type { SendOrder } from "./sender.worker.js";
import { ask, channels, nextMessage, startThread, stopThreads } from "./threads.js";
import { WINDOW } from "./window.js";

/** A MessageChannel of its own from every sender to every receiver; the clock stops when the last receiver says so. */
export function postMessageThroughput(senders: number, receivers: number, payload: PayloadName): Contender {
  const window = WINDOW[payload];
  return {
    name: "postMessage",
    how: `MessageChannel, ${window} on credit`,
    async start(): Promise<Runner> {
      const ports = channels(senders, receivers);
      const from = ports.from.map((ofSender) => startThread("./sender.worker.js", ofSender));
      const to = ports.to.map((ofReceiver) => startThread("./receiver.worker.js", ofReceiver));
      return {
        async round(work) {
          const each = Math.ceil(work / (senders * receivers));
          const expected: ReceiveOrder = { count: each * senders, window };
          await Promise.all(to.map((receiver) => ask(receiver, expected)));
          const done = to.map((receiver) => nextMessage(receiver));
          const startedMs = performance.now();
          const order: SendOrder = { payload, count: each, window };
          for (const sender of from) sender.postMessage(order);
          await Promise.all(done);
          return { work: each * senders * receivers, elapsedMs: performance.now() - startedMs };
        },
        stop: () => stopThreads([...from, ...to]),
      };
    },
  };
}
