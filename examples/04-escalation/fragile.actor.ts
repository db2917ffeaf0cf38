import { defineActor } from "@mini-otp/worker-host";

export default defineActor({
  handlers: {
    crash() {
      throw new Error("again");
    },
    incarnation(ctx) {
      return ctx.incarnation;
    },
  },
});
