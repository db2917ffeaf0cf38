import type { Contender, Round, Runner } from "../../contender.js";
import type { CallOrder } from "./caller.worker.js";
import { newSharedWords } from "./shared-words.js";
import { ask, channels, startThread, stopThreads } from "./threads.js";

/** One worker asks another by a MessageChannel and waits for the answer in its event loop. */
export function postMessageRoundTrips(pauseMs = 0, before = 0): Contender {
  return roundTrips("postMessage", "MessageChannel", "./caller.worker.js", "./responder.worker.js", pauseMs, before);
}

/** The same with a buffer that changes hands, there and back. */
export function postMessageTransferTrips(): Contender {
  const how = "MessageChannel with a transfer list";
  return roundTrips("postMessage", how, "./transferring-caller.worker.js", "./give-back.worker.js", 0);
}

/** The same with both threads blocking instead. */
export function pollingRoundTrips(pauseMs = 0): Contender {
  return roundTrips(
    "postMessage, polling",
    "receiveMessageOnPort, spinning, then Atomics.wait",
    "./polling-caller.worker.js",
    "./polling-responder.worker.js",
    pauseMs,
  );
}

/** `before`: so many without a pause come first. */
function roundTrips(
  name: string,
  how: string,
  caller: string,
  responder: string,
  pauseMs: number,
  before = 0,
): Contender {
  return {
    name,
    how,
    async start(): Promise<Runner> {
      const ports = channels(1, 1);
      const shared = newSharedWords();
      const from = startThread(caller, ports.from[0], shared);
      const to = startThread(responder, ports.to[0], shared);
      if (before > 0) await ask<Round>(from, { count: before, pauseMs: 0 } satisfies CallOrder);
      return {
        round(work) {
          const order: CallOrder = { count: work, pauseMs };
          return ask<Round>(from, order);
        },
        stop: () => stopThreads([from, to]),
      };
    },
  };
}
