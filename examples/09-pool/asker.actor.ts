import { defineActor, type PoolRef } from "@mini-otp/worker-host";

/** An actor stays free for messages while the pool computes for it. */
export default defineActor({
  handlers: {
    ask: async (ctx, primes: PoolRef, limit: number) => `${ctx.id}: ${await primes.run(limit)}`,
  },
});
