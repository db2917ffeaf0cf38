import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {};

const nowhere = "./nowhere.js";
await import(nowhere);

export default defineActor({ handlers: {} });
