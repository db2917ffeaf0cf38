import type { ActorSpec } from "@mini-otp/runtime";
import type Hands from "../fixtures/hands.actor.js";
import { fixture, testSystem } from "./system.js";

/** Two actors that transfer buffers to each other. `backoff` is the taker's. */
export async function pairOfHands(backoff: ActorSpec["backoff"] = {}) {
  const system = await testSystem({ intensity: 1000 });
  const actor = fixture("hands");
  const giver = await system.startChild<typeof Hands>({ id: "giver", actor });
  const taker = await system.startChild<typeof Hands>({ id: "taker", actor, backoff });
  return { system, giver, taker };
}
