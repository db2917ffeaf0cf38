import { defineActor } from "@mini-otp/worker-host";

export default defineActor({
  handlers: {
    /** Ends in order. */
    finish(ctx) {
      ctx.stop();
    },
    crash() {
      throw new Error("let it crash");
    },
  },
});
