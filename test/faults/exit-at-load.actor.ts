import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {};

process.exit(6);

export default defineActor({ handlers: {} });
