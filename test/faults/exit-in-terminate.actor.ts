import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => process.exit(7);

export default defineActor({ handlers: { ping: (ctx): number => ctx.incarnation }, terminate: fault });
