/* Metrics and the live page, on the main thread. */
export * from "@mini-otp/metrics";
