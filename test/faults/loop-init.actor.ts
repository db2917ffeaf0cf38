import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {
  for (;;);
};

export default defineActor({ init: fault, handlers: {} });
