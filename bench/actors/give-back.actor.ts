import { defineActor } from "@mini-otp/worker-host";
import { transfer } from "comlink";

/** Returns a buffer to its sender, without a copy. */
export default defineActor({
  handlers: {
    giveBack(_ctx, buffer: ArrayBuffer): ArrayBuffer {
      return transfer(buffer, [buffer]);
    },
  },
});
