/* For tests. */
export * from "@mini-otp/runtime/testing";
