// Blocks main for a second while an actor leaks, then prints how much the process had grown and how the actor ended.
// Argument: the fault program.
import { startSystem } from "@mini-otp/runtime";

const rssMb = (): number => process.memoryUsage.rss() / 1024 / 1024;
const system = await startSystem({ logger: false, intensity: 100 });
const actor = new URL(`../../faults/${process.argv[2]}.actor.js`, import.meta.url);
const leak = await system.startChild({ id: "leak", actor });
await leak.call("ping");
const ended = new Promise<string>((resolve) => {
  system.on("guard_killed", ({ reason }) => resolve(reason.kind));
});
const beforeMb = rssMb();
const call = leak.call("run").catch(() => {});
const until = performance.now() + 1000;
while (performance.now() < until);
const grownMb = rssMb() - beforeMb;
const freeMs = performance.now();
const reason = await ended;
console.log(JSON.stringify({ grownMb, killedAfterMs: performance.now() - freeMs, reason }));
await call;
console.log("restarted", await leak.with({ timeoutMs: 20_000 }).call("ping"));
await system.stop();
