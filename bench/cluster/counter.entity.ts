import { defineEntity } from "@mini-otp/cluster/actor";

/** Counts what it is sent, as counter.actor.ts does. */
export default defineEntity({
  init: () => ({ count: 0 }),
  handlers: {
    take(ctx, _message: unknown) {
      ctx.state.count++;
    },
    ask(_ctx, value: number) {
      return value;
    },
    count(ctx) {
      return ctx.state.count;
    },
    reset(ctx) {
      ctx.state.count = 0;
    },
  },
});
