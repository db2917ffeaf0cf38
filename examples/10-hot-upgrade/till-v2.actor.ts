import { defineActor } from "@mini-otp/worker-host";

export default defineActor({
  version: "2",
  init: () => ({ cents: 0, from: "nothing" }),
  handlers: {
    sell(ctx, price: number) {
      ctx.state.cents += price * 100;
      return `sold, ${ctx.state.cents} cents in all, once version ${ctx.state.from}`;
    },
  },
  /** Runs in place of `init`. What it throws leaves version 1 in its place. */
  codeChange({ total }: { total: number }, fromVersion) {
    if (total < 0) throw new RangeError(`the till is short of ${-total}`);
    return { cents: total * 100, from: fromVersion ?? "unknown" };
  },
});
