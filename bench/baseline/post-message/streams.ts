import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import type { Contender, Round, Runner } from "../../contender.js";
import type { PayloadName } from "../../payloads.js";

const worker = (): Worker => new Worker(new URL("./streaming.worker.js", import.meta.url));

/** A worker moves the readable side of a TransformStream to main, and writes to the other. */
export const movedStreamToMain = (payload: PayloadName): Contender => ({
  name: "TransformStream",
  how: "its readable side moved by postMessage",
  async start(): Promise<Runner> {
    const producer = worker();
    return {
      async round(count): Promise<Round> {
        const startedMs = performance.now();
        producer.postMessage({ produce: { payload, count } });
        const [readable] = (await once(producer, "message")) as [AsyncIterable<unknown>];
        let work = 0;
        for await (const _ of readable) work++;
        return { work, elapsedMs: performance.now() - startedMs };
      },
      stop: () => producer.terminate(),
    };
  },
});

/** The same between two workers. */
export const movedStreamToWorker = (payload: PayloadName): Contender => ({
  name: "TransformStream",
  how: "its readable side moved by postMessage",
  async start(): Promise<Runner> {
    const producer = worker();
    const reader = worker();
    return {
      async round(count): Promise<Round> {
        const { port1, port2 } = new MessageChannel();
        reader.postMessage({ read: port1 }, [port1]);
        producer.postMessage({ produce: { payload, count }, to: port2 }, [port2]);
        const [round] = (await once(reader, "message")) as [Round];
        return round;
      },
      stop: () => Promise.all([producer.terminate(), reader.terminate()]),
    };
  },
});
