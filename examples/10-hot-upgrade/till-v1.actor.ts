import { defineActor } from "@mini-otp/worker-host";

export default defineActor({
  version: "1",
  init: () => ({ total: 0 }),
  handlers: {
    sell(ctx, price: number) {
      ctx.state.total += price;
      return `sold, ${ctx.state.total} in all`;
    },
  },
});
