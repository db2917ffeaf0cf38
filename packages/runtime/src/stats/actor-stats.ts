// It is declared where `ActorRef.stats` is.
export type { ActorStats } from "@mini-otp/worker-host/protocol/refs";
