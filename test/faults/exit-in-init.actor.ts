import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => process.exit(5);

export default defineActor({ init: fault, handlers: {} });
