import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {
  for (;;);
};

export default defineActor({ handlers: { ping: (ctx): number => ctx.incarnation }, terminate: fault });
