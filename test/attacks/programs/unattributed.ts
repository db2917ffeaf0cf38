// An actor fills a queue that is in no actor's numbers until the process is over its budget: prints what the guard does.
import { startSystem } from "@mini-otp/runtime";
import type Native from "../fixtures/native.actor.js";

const [onUnattributed = "report"] = process.argv.slice(2) as ["report" | "kill_suspect" | "exit"];
const TOTAL_MB = 400;
const system = await startSystem({ logger: false, intensity: 100, guard: { totalMb: TOTAL_MB, onUnattributed } });
const actor = new URL("../fixtures/native.actor.js", import.meta.url);
const spec = { actor, heapCapMb: 64, offHeapCapMb: 64 };
const idle = await system.startChild<typeof Native>({ id: "idle", ...spec });
const filling = await system.startChild<typeof Native>({ id: "filling", ...spec });
system.on("guard_killed", ({ id, reason }) => console.log("killed", id, reason.kind));
const told = new Promise<void>((resolve) => {
  system.on("memory_unattributed", ({ id, action, rssMb, totalMb, unattributedMb, suspects }) => {
    const isRight = rssMb > totalMb && unattributedMb > TOTAL_MB / 2 && suspects[0]?.id === id;
    console.log("memory_unattributed", id, action, isRight);
    resolve();
  });
});
await filling.call("post", 500).catch(() => {});
const working = filling.cast("work", 2000);
await told;
await working;
// The process ends from here.
if (onUnattributed === "exit") await new Promise(() => {});
console.log("idle", await idle.call("ping"), "filling", await filling.call("ping"));
const isFreed = (): boolean => system.stats().unattributed.mb < TOTAL_MB / 2;
for (const deadline = performance.now() + 5000; onUnattributed === "kill_suspect" && !isFreed(); ) {
  if (performance.now() > deadline) throw new Error("what was left by the killed actor is still counted");
  await new Promise((resolve) => setImmediate(resolve));
}
console.log("freed", isFreed(), "reports", system.stats().unattributed.reports);
await system.stop();
