/* What an actor's module imports: a thread of its own loads it, so it brings nothing of the main thread's. */
export * from "@mini-otp/worker-host";
