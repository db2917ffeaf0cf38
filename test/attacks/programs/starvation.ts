// Eight processes that compute beside an actor: prints what the watchdog does, and how long it took.
import { spawn } from "node:child_process";
import { startSystem } from "@mini-otp/runtime";
import type Starved from "../fixtures/starved.actor.js";

const LIMIT_MS = 1000;
const system = await startSystem({ logger: false, intensity: 100 });
const ref = (
  await system.startChild<typeof Starved>({
    id: "starved",
    actor: new URL("../fixtures/starved.actor.js", import.meta.url),
    handlerTimeoutMs: LIMIT_MS,
  })
).with({ timeoutMs: 60_000 });
const kills: string[] = [];
system.on("guard_killed", ({ reason }) => kills.push(reason.kind));

// They end by themselves, should this program be killed.
const busy = "const until = Date.now() + 40_000; while (Date.now() < until);";
const beside = Array.from({ length: 8 }, () => spawn(process.execPath, ["-e", busy], { stdio: "ignore" }));
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedMs = performance.now();
  await work().catch(() => {});
  return performance.now() - startedMs;
};
try {
  const tookMs: number[] = [];
  for (let n = 0; n < 2; n++) tookMs.push(await ref.call("compute", 600));
  const healthy = kills.length;
  const blockedMs = await timed(() => ref.call("block"));
  await ref.call("ping");
  const spinningMs = await timed(() => ref.call("spin"));
  console.log(JSON.stringify({ tookMs, healthy, blockedMs, spinningMs, kills }));
} finally {
  for (const child of beside) child.kill("SIGKILL");
}
await system.stop();
