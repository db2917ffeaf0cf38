import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type ActorSystem, startSystem } from "@mini-otp/runtime";
import { median, type Spread, spreadOf } from "../statistics.js";
import type Mortal from "./mortal.actor.js";

const ACTOR = new URL("./mortal.actor.js", import.meta.url);
const BARE = new URL("./bare-thread.js", import.meta.url);
const ROUNDS = 3;
/** V8 collects garbage for a while after a thread has come to rest, in bare workers too. */
const SETTLE_MS = 60_000;
const IDLE_MS = 10_000;
const RALLY_MS = 2000;
const RALLIES = 5;
/** As many at a time as the runtime lets load. */
const AT_A_TIME = 2 * availableParallelism();
/** The machine may have other work. */
const START_TIMEOUT_MS = 120_000;
/** The limits of a default actor. */
const LIMITS = { maxOldGenerationSizeMb: 4160, maxYoungGenerationSizeMb: 16 };
const MB = 2 ** 20;

/** The time until all were ready, by the clock and of the CPU. */
interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

/** `count` actors beside as many bare workers: start, idling, what they cost others, stop. */
export async function manyActors(count: number): Promise<void> {
  const ours: Took[] = [];
  const bare: Took[] = [];
  const bareAtOnce: Took[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await bareRound(count, AT_A_TIME));
    bareAtOnce.push(await bareRound(count, count));
    const system = await startSystem({ logger: false });
    ours.push(await startActors(system, count));
    await system.stop();
  }
  const startMs = median(ours.map(({ ms }) => ms));
  const cpuMs = median(ours.map((took) => took.cpuMs / count));
  console.log(`start of ${count}: ${seconds(startMs)} s, ${cpuMs.toFixed(1)} ms of the CPU each`);
  report(`bare workers, ${AT_A_TIME} at a time`, count, ours, bare);
  report("bare workers, all at once", count, ours, bareAtOnce);

  // The same pair before and after, because V8 does not compile two pairs to the same code.
  const system = await startSystem({ logger: false });
  const rally = await startPair(system);
  const alone = await rallies(rally);
  const rssBefore = process.memoryUsage.rss();
  await startActors(system, count);
  const rssMb = (process.memoryUsage.rss() - rssBefore) / MB;
  await delay(SETTLE_MS);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await delay(IDLE_MS);
  const { user, system: inKernel } = process.cpuUsage(cpu);
  const idlePercent = (user + inKernel) / 10 / (performance.now() - startedAt);
  const among = await rallies(rally);
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

/** Round by round, our time divided by the others' time. */
function report(what: string, count: number, ours: readonly Took[], others: readonly Took[]): void {
  const ms = median(others.map((took) => took.ms));
  const cpuMs = median(others.map((took) => took.cpuMs / count));
  const ratio = spreadOf(ours.map((took, round) => took.ms / others[round].ms));
  const cpuRatio = spreadOf(ours.map((took, round) => took.cpuMs / others[round].cpuMs));
  console.log(
    `  ${what}: ${seconds(ms)} s, ${cpuMs.toFixed(1)} ms of the CPU each: ours ${times(ratio)} times as long, ${times(cpuRatio)} times the CPU`,
  );
}

async function bareRound(count: number, atATime: number): Promise<Took> {
  const workers: Worker[] = [];
  const took = await timed(async () => {
    const startSome = async (): Promise<void> => {
      while (workers.length < count) {
        const worker = new Worker(BARE, { resourceLimits: LIMITS, env: {} });
        workers.push(worker);
        await new Promise((ready) => worker.once("message", ready));
      }
    };
    await Promise.all(Array.from({ length: atATime }, startSome));
  });
  await Promise.all(workers.map((worker) => worker.terminate()));
  return took;
}

function startActors(system: ActorSystem, count: number): Promise<Took> {
  return timed(() =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        system.startChild<typeof Mortal>({ id: `idle-${i}`, actor: ACTOR, startTimeoutMs: START_TIMEOUT_MS }),
      ),
    ),
  );
}

async function timed(work: () => Promise<unknown>): Promise<Took> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

/** Two actors that play: how many round trips in `RALLY_MS`. */
async function startPair(system: ActorSystem): Promise<() => Promise<number>> {
  const start = (id: string) => system.startChild<typeof Mortal>({ id, actor: ACTOR });
  const [one, other] = await Promise.all([start("one"), start("other")]);
  const patient = one.with({ timeoutMs: 60_000 });
  return () => patient.call("rally", other, RALLY_MS);
}

/** Round trips a second, once they are hot. */
async function rallies(rally: () => Promise<number>): Promise<number> {
  await rally();
  const rounds: number[] = [];
  while (rounds.length < RALLIES) rounds.push(await rally());
  return (median(rounds) / RALLY_MS) * 1000;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function times(ratio: Spread): string {
  return `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} – ${ratio.max.toFixed(2)})`;
}
