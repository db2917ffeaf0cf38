/* The main thread: systems, supervisors, routers, pools. Also what an actor's module needs, which loads faster from `mini-otp/actor`. */
export * from "@mini-otp/runtime";
export type * from "@mini-otp/worker-host";
export { defineActor, ignore, isActorDefinition, isIgnore, OTHERWISE } from "@mini-otp/worker-host";
