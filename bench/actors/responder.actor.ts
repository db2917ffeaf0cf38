import { defineActor } from "@mini-otp/worker-host";
import type { SmallObject } from "../payloads.js";

export default defineActor({
  handlers: {
    handle(_ctx, message: SmallObject): number {
      return message.id;
    },
  },
});
