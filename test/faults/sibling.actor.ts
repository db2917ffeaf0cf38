import { defineActor } from "@mini-otp/worker-host";

export default defineActor({
  handlers: {
    echo(_ctx, n: number): number {
      return n;
    },
  },
});
