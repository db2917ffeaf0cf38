import { defineActor } from "@mini-otp/worker-host";

/** Runs in a thread of its own, one message at a time, so `count` needs no lock. */
export default defineActor({
  init: (args: { start: number }) => ({ count: args.start }),
  handlers: {
    add(ctx, by: number) {
      ctx.state.count += by;
    },
    get(ctx) {
      return ctx.state.count;
    },
  },
});
