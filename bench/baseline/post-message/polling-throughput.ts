import type { Contender, Runner } from "../../contender.js";
import type { PayloadName } from "../../payloads.js";
import type { ReceiveOrder } from "./receiver.worker.js";
import type { SendOrder } from "./sender.worker.js";
import { newSharedWords } from "./shared-words.js";
import { ask, channels, nextMessage, startThread, stopThreads } from "./threads.js";
import { WINDOW } from "./window.js";

/** One sender, one receiver, and no event loop between them. */
export function pollingThroughput(payload: PayloadName): Contender {
  const window = WINDOW[payload];
  return {
    name: "postMessage, polling",
    how: `receiveMessageOnPort, Atomics.wait, ${window} on credit`,
    async start(): Promise<Runner> {
      const ports = channels(1, 1);
      const shared = newSharedWords();
      const sender = startThread("./polling-sender.worker.js", ports.from[0], shared);
      const receiver = startThread("./polling-receiver.worker.js", ports.to[0], shared);
      return {
        async round(work) {
          const expected: ReceiveOrder = { count: work, window };
          await ask(receiver, expected);
          const done = nextMessage(receiver);
          const startedMs = performance.now();
          const order: SendOrder = { payload, count: work, window };
          sender.postMessage(order);
          await done;
          return { work, elapsedMs: performance.now() - startedMs };
        },
        stop: () => stopThreads([sender, receiver]),
      };
    },
  };
}
