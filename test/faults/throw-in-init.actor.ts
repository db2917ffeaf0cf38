import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {
  throw new Error("in init");
};

export default defineActor({ init: fault, handlers: {} });
