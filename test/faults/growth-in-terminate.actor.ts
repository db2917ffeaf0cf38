import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {
  const kept: object[] = [];
  for (let n = 0; ; n++) kept.push({ n, next: { n } });
};

export default defineActor({ handlers: { ping: (ctx): number => ctx.incarnation }, terminate: fault });
