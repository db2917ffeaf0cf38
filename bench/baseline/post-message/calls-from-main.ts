import { Worker } from "node:worker_threads";
import type { Contender, Runner } from "../../contender.js";
import { smallObject } from "../../payloads.js";
import { RoundTripTimes } from "../../round-trip-times.js";

type Round = (worker: Worker, work: number) => ReturnType<Runner["round"]>;

/** `window` requests under way, a new one for each answer: no promise, and no id, because answers keep the order. */
export function postMessagePipelined(window: number): Contender {
  return callsFromMain(`worker.postMessage`, (worker, work) => {
    const message = smallObject();
    let unsent = work;
    let unanswered = work;
    return new Promise((resolve) => {
      const startedMs = performance.now();
      const onAnswer = (): void => {
        if (unsent > 0) {
          unsent--;
          worker.postMessage(message);
        }
        if (--unanswered > 0) return;
        worker.off("message", onAnswer);
        resolve({ work, elapsedMs: performance.now() - startedMs });
      };
      worker.on("message", onAnswer);
      for (; unsent > 0 && unsent > work - window; unsent--) worker.postMessage(message);
    });
  });
}

export function postMessageSequential(): Contender {
  return callsFromMain("worker.postMessage", (worker, work) => {
    const message = smallObject();
    return new Promise((resolve) => {
      const times = new RoundTripTimes(work);
      const onAnswer = (): void => {
        if (times.done()) {
          worker.off("message", onAnswer);
          resolve(times.round());
        } else {
          worker.postMessage(message);
        }
      };
      worker.on("message", onAnswer);
      worker.postMessage(message);
    });
  });
}

function callsFromMain(how: string, round: Round): Contender {
  return {
    name: "postMessage",
    how,
    async start(): Promise<Runner> {
      const worker = new Worker(new URL("./main-responder.worker.js", import.meta.url));
      return { round: (work) => round(worker, work), stop: () => worker.terminate() };
    },
  };
}
