import { defineActor } from "@mini-otp/worker-host";

export const fault = (): void => {};

const broken = "data:text/javascript,export default {";
await import(broken);

export default defineActor({ handlers: {} });
