import { defineActor } from "@mini-otp/worker-host";

export default defineActor({
  init: (args: { text: string }) => args,
  handlers: {
    /** Replies, and then there is nothing left to do. */
    run(ctx) {
      ctx.stop();
      return [...ctx.state.text].toReversed().join("");
    },
  },
});
