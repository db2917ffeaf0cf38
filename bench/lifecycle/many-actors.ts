import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type ActorSystem, startSystem } from "@mini-otp/runtime";
import { spreadOf } from "../statistics.js";
import type Mortal from "./mortal.actor.js";

const ACTOR = new URL("./mortal.actor.js", import.meta.url);
const BARE = new URL("./bare-thread.js", import.meta.url);
const ROUNDS = 3;
/** V8 collects once more, eight seconds after a thread came to rest. */
const SETTLE_MS = 15_000;
const IDLE_MS = 5000;
const RALLY_MS = 2000;
/** As a default actor has them. */
const LIMITS = { maxOldGenerationSizeMb: 4160, maxYoungGenerationSizeMb: 16 };
const MB = 2 ** 20;

/** `count` actors beside as many bare workers: start, idling, what they cost others, stop. */
export async function manyActors(count: number): Promise<void> {
  const bareMs: number[] = [];
  const oursMs: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const bare = await startBare(count);
    await Promise.all(bare.workers.map((worker) => worker.terminate()));
    const { system, tookMs } = await startActors(count);
    await system.stop();
    bareMs.push(bare.tookMs);
    oursMs.push(tookMs);
    ratios.push(tookMs / bare.tookMs);
  }
  const [bare, ours, ratio] = [bareMs, oursMs, ratios].map(spreadOf);
  console.log(
    `start of ${count}: ${seconds(ours.median)} s, bare workers ${seconds(bare.median)} s: ${ratio.median.toFixed(2)} times as long (${ratio.min.toFixed(2)} – ${ratio.max.toFixed(2)})`,
  );

  const pairAlone = await startSystem({ logger: false });
  const alone = await rallies(pairAlone);
  await pairAlone.stop();

  const rssBefore = process.memoryUsage.rss();
  const { system } = await startActors(count);
  const rssMb = (process.memoryUsage.rss() - rssBefore) / MB;
  await delay(SETTLE_MS);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await delay(IDLE_MS);
  const { user, system: inKernel } = process.cpuUsage(cpu);
  const idlePercent = (user + inKernel) / 10 / (performance.now() - startedAt);
  const among = await rallies(system);
  const stopAt = performance.now();
  await system.stop();
  const stopMs = performance.now() - stopAt;
  console.log(
    `${count} idle: ${idlePercent.toFixed(2)} % of a core, ${(rssMb / count).toFixed(1)} MiB each; stopped in ${seconds(stopMs)} s`,
  );
  console.log(
    `a busy pair among ${count} idle: ${(among / alone).toFixed(2)} of its rate alone (${Math.round(alone)} round trips/s)`,
  );
}

async function startBare(count: number): Promise<{ workers: Worker[]; tookMs: number }> {
  const startedAt = performance.now();
  const workers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Worker>((resolve) => {
          const worker = new Worker(BARE, { resourceLimits: LIMITS });
          worker.once("message", () => resolve(worker));
        }),
    ),
  );
  return { workers, tookMs: performance.now() - startedAt };
}

async function startActors(count: number): Promise<{ system: ActorSystem; tookMs: number }> {
  const system = await startSystem({ logger: false });
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: count }, (_, i) => system.startChild<typeof Mortal>({ id: `idle-${i}`, actor: ACTOR })),
  );
  return { system, tookMs: performance.now() - startedAt };
}

/** Round trips a second of two actors of their own. */
async function rallies(system: ActorSystem): Promise<number> {
  const start = (id: string) => system.startChild<typeof Mortal>({ id, actor: ACTOR });
  const [one, other] = await Promise.all([start("one"), start("other")]);
  const rally = one.with({ timeoutMs: 60_000 });
  await rally.call("rally", other, RALLY_MS);
  return ((await rally.call("rally", other, RALLY_MS)) / RALLY_MS) * 1000;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
