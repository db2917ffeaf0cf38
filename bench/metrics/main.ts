import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { registerMetrics } from "@mini-otp/metrics";
import { type ActorSystem, startSystem } from "@mini-otp/runtime";
import type Receiver from "../actors/receiver.actor.js";
import { actorThroughput } from "../actors/throughput.js";
import { SMALL } from "../payloads.js";
import { quantile, spreadOf } from "../statistics.js";

const USAGE = `Usage: node bench/dist/metrics/main.js [--rounds N] [--actors N]

  --rounds N   rounds with and without metrics, in turn (default 40)
  --actors N   actors for the scrape (default 500)`;

const MESSAGES_A_ROUND = 200_000;
const SCRAPES = 50;
/** Far more often than any Prometheus does. */
const SCRAPE_EVERY_MS = 100;
const STARTED_AT_ONCE = 20;
/** A machine on which other processes take less than this share of a core counts as quiet. */
const QUIET_SHARE = 0.1;
const LOOK_MS = 4000;
const QUIET_WITHIN_MS = 120_000;

/** The cost of a scraped registry on the message path: the same round with and without it, in turn. */
async function messagePath(rounds: number): Promise<void> {
  let system: ActorSystem | undefined;
  const runner = await actorThroughput(1, 1, SMALL, (started) => {
    system = started;
  }).start();
  await runner.round(MESSAGES_A_ROUND);
  await runner.round(MESSAGES_A_ROUND);
  const ratios: number[] = [];
  const plain = async () => (await runner.round(MESSAGES_A_ROUND)).elapsedMs;
  const scraped = async () => {
    const metrics = registerMetrics(system as ActorSystem);
    const timer = setInterval(() => void metrics.registry.metrics(), SCRAPE_EVERY_MS);
    const { elapsedMs } = await runner.round(MESSAGES_A_ROUND);
    clearInterval(timer);
    metrics.unregister();
    return elapsedMs;
  };
  for (let i = 0; i < rounds; i++) {
    const first = i % 2 === 0 ? await plain() : await scraped();
    const second = i % 2 === 0 ? await scraped() : await plain();
    ratios.push(i % 2 === 0 ? second / first : first / second);
  }
  ratios.sort((a, b) => a - b);
  const percent = (ratio: number) => `${((ratio - 1) * 100).toFixed(1)} %`;
  const quartiles = `${percent(quantile(ratios, 0.25))} to ${percent(quantile(ratios, 0.75))}`;
  console.log(
    `Scraped every ${SCRAPE_EVERY_MS} ms, a message costs ${percent(quantile(ratios, 0.5))} more (${quartiles})`,
  );
  await runner.stop();
}

/** V8 collects the heap of an idle thread twice, 8 s after it came up: with 500 threads that takes all cores for some seconds. */
async function quiet(): Promise<void> {
  const untilMs = performance.now() + QUIET_WITHIN_MS;
  let busy = 1;
  while (busy > QUIET_SHARE && performance.now() < untilMs) {
    const before = process.cpuUsage();
    await setTimeout(LOOK_MS);
    const { user, system } = process.cpuUsage(before);
    busy = (user + system) / 1000 / LOOK_MS;
  }
  if (busy > QUIET_SHARE) console.log(`the process still uses ${busy.toFixed(2)} cores`);
}

async function scrape(count: number): Promise<void> {
  const system = await startSystem({ logger: false });
  const actor = new URL("../actors/receiver.actor.js", import.meta.url);
  for (let i = 0; i < count; i += STARTED_AT_ONCE) {
    const ids = Array.from({ length: Math.min(STARTED_AT_ONCE, count - i) }, (_, k) => String(i + k));
    await Promise.all(
      ids.map((id) => system.startChild<typeof Receiver>({ id, name: id, actor, startTimeoutMs: 300_000 })),
    );
  }
  await quiet();
  const { registry, unregister } = registerMetrics(system);
  const times: number[] = [];
  let text = "";
  for (let i = 0; i < SCRAPES; i++) {
    const startedMs = performance.now();
    text = await registry.metrics();
    times.push(performance.now() - startedMs);
  }
  const { median, min, max } = spreadOf(times);
  const lines = text.split("\n").length;
  console.log(
    `A scrape of ${count} actors takes ${median.toFixed(1)} ms (${min.toFixed(1)} to ${max.toFixed(1)}), ${lines} lines`,
  );
  unregister();
  await system.stop({ timeoutMs: 10_000 });
}

const { values } = parseArgs({
  options: { rounds: { type: "string" }, actors: { type: "string" }, help: { type: "boolean" } },
});
if (values.help) {
  console.log(USAGE);
} else {
  await messagePath(Number(values.rounds ?? 40));
  await scrape(Number(values.actors ?? 500));
}
