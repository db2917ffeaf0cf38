import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {};

await new Promise(() => {});

export default defineActor({ handlers: {} });
