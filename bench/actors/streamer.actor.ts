import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import { createPayload, type PayloadName } from "../payloads.js";

const streamer = defineActor({
  handlers: {
    async *items(_ctx, payload: PayloadName, count: number) {
      const item = createPayload(payload);
      for (let i = 0; i < count; i++) yield item;
    },
    /** Reads another's stream. Replies how long that took. */
    async read(_ctx, from: ActorRef, payload: PayloadName, count: number) {
      const startedMs = performance.now();
      let read = 0;
      for await (const _ of from.stream("items", payload, count)) read++;
      return { work: read, elapsedMs: performance.now() - startedMs };
    },
  },
});

export default streamer;
