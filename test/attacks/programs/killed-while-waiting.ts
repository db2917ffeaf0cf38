// Kills an actor again and again while it is inside `Atomics.wait` and the guard looks into it.
import { setTimeout } from "node:timers/promises";
import { startSystem } from "@mini-otp/runtime";
import type Waiter from "../fixtures/waiter.actor.js";

const ROUNDS = 40;
const system = await startSystem({ logger: false, intensity: 1_000_000, guard: { intervalMs: 1 } });
const actor = new URL("../fixtures/waiter.actor.js", import.meta.url);
const ref = await system.startChild<typeof Waiter>({ id: "waiter", actor, heapCapMb: 24 });
for (let round = 1; round <= ROUNDS; round++) {
  // It runs: what is killed before that leaves its message to the next incarnation.
  await ref.call("ping");
  const waits = ref.call("wait").catch(() => {});
  // Spread over the guard's looks and the collections that follow them.
  await setTimeout(5 + ((round * 7) % 60));
  system.exit(ref, "kill");
  await waits;
}
if ((await ref.call("ping")) <= ROUNDS) throw new Error("it was not started again each time");
await system.stop();
console.log("lives");
