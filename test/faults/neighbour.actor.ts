import { defineActor } from "@mini-otp/worker-host";

/** Shares its thread with a fault. */
export default defineActor({
  handlers: {
    /** Holds back what comes after it. */
    async hold(_ctx, ms: number): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, ms));
    },
    echo(_ctx, n: number): number {
      return n;
    },
  },
});
