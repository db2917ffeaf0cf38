import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import { createPayload, type PayloadName } from "../payloads.js";
import type Receiver from "./receiver.actor.js";

export default defineActor({
  handlers: {
    /** Sends `count` messages to each, in turn. */
    send(_ctx, receivers: ActorRef<typeof Receiver>[], payload: PayloadName, count: number) {
      const message = createPayload(payload);
      if (receivers.length === 1) {
        const [receiver] = receivers;
        for (let i = 0; i < count; i++) receiver.castSync("take", message);
      } else {
        for (let i = 0; i < count; i++) {
          for (const receiver of receivers) receiver.castSync("take", message);
        }
      }
    },
  },
});
