/* The main thread: systems, supervisors, routers, pools. */
export * from "@mini-otp/runtime";
