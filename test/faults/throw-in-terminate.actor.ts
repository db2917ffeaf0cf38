import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {
  throw new Error("in terminate");
};

export default defineActor({ handlers: { ping: (ctx): number => ctx.incarnation }, terminate: fault });
