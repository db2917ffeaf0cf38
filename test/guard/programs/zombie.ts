// Lets an actor block in a native operation that outlives its kill, and prints what becomes of it.
// Arguments: for how many ms it blocks; guard options as JSON.
import { isActorError, startSystem } from "@mini-otp/runtime";
import type Memory from "../fixtures/memory.actor.js";

const [blockMs, guard] = process.argv.slice(2);
const system = await startSystem({ logger: false, intensity: 100, guard: JSON.parse(guard) });
system.on("actor_zombie", ({ id, reason }) => console.log("zombie", id, reason.kind));
process.on("exit", (code) => console.log("exit", code));
const memory = await system.startChild<typeof Memory>({
  id: "memory",
  actor: new URL("../fixtures/memory.actor.js", import.meta.url),
  handlerTimeoutMs: 100,
  shutdown: 200,
});
const blocked = memory.call("blockNatively", Number(blockMs));
const queued = Array.from({ length: 5 }, () => memory.with({ timeoutMs: 20_000 }).call("ping"));
console.log("blocked", await blocked.catch((e: unknown) => isActorError(e) && e.code));
console.log("queued", (await Promise.all(queued).catch(() => ["gone"])).join(" "));
console.log("later", await memory.call("ping").catch((e: unknown) => isActorError(e) && e.code));
const beforeMs = performance.now();
const { zombie } = await system.stop({ timeoutMs: 1000 });
console.log("stopped in time", performance.now() - beforeMs < 2500, zombie);
process.exitCode = 5;
