import { type MessagePort, parentPort } from "node:worker_threads";
import { createPayload, type PayloadName } from "../../payloads.js";

interface Produce {
  readonly produce: { readonly payload: PayloadName; readonly count: number };
  /** Where to post the stream's readable side. Default: the port to main. */
  readonly to?: MessagePort;
}
interface Read {
  readonly read: MessagePort;
}

/** Produces a stream whose readable side it moves, or reads one that was moved to it. */
parentPort?.on("message", async (order: Produce | Read) => {
  if ("read" in order) {
    order.read.once("message", async (readable: ReadableStream) => {
      const startedMs = performance.now();
      let work = 0;
      for await (const _ of readable as unknown as AsyncIterable<unknown>) work++;
      order.read.close();
      parentPort?.postMessage({ work, elapsedMs: performance.now() - startedMs });
    });
    return;
  }
  const { payload, count } = order.produce;
  const { readable, writable } = new TransformStream();
  (order.to ?? parentPort)?.postMessage(readable, [readable as never]);
  const writer = writable.getWriter();
  const item = createPayload(payload);
  for (let i = 0; i < count; i++) {
    await writer.ready;
    void writer.write(item);
  }
  await writer.close();
});
