// A thread in a native operation survives its kill, in a process that is over its budget and whose main thread then
// grows by so many MiB. Prints whether the process is given up: when it grows it waits for that, else it looks on for
// LOOK_MS. Argument: the MiB.
import { startSystem } from "@mini-otp/runtime";
import type Memory from "../fixtures/memory.actor.js";

const MB = 1024 * 1024;
const LOOK_MS = 1500;
const growMb = Number(process.argv[2]);
const baseMb = process.memoryUsage.rss() / MB;
const kept = [Buffer.alloc(150 * MB, 1)];
const system = await startSystem({ logger: false, intensity: 100, guard: { totalMb: Math.ceil(baseMb) + 100 } });
process.on("exit", (code) => console.log("exit", code));
const memory = await system.startChild<typeof Memory>({
  id: "memory",
  actor: new URL("../fixtures/memory.actor.js", import.meta.url),
  heapCapMb: 1000,
  offHeapCapMb: 1000,
  handlerTimeoutMs: 100,
});
const zombie = new Promise<void>((resolve) => system.on("actor_zombie", () => resolve()));
void memory.call("blockNatively", 4000).catch(() => {});
await zombie;
console.log("zombie");
// The guard looks at the budget while an actor is busy.
const lookMs = growMb > 0 ? 20_000 : LOOK_MS;
void memory
  .with({ timeoutMs: 30_000 })
  .call("churn", 1, lookMs)
  .catch(() => {});
const untilMs = performance.now() + lookMs;
for (let mb = 0; performance.now() < untilMs; mb++) {
  if (mb < growMb) kept.push(Buffer.alloc(MB, 1));
  await new Promise((resolve) => setTimeout(resolve, 5));
}
console.log("lives", (await memory.call("ping")) > 1);
await system.stop({ timeoutMs: 500 });
