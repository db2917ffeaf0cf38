// Calls what is public with values at random, and prints a report: public-api.js <file of types> <area> <seed> <calls> <ms>.
import { readFileSync } from "node:fs";
import { pool, router, startSystem } from "@mini-otp/runtime";
import type Attacker from "../fixtures/attacker.actor.js";
import { Attack, type Report } from "../public-api/attack.js";
import { MainArea } from "../public-api/main-area.js";

const [file, area, seedGiven, callsGiven, forMsGiven] = process.argv.slice(2);
const [seed, calls, forMs] = [seedGiven, callsGiven, forMsGiven].map(Number);
const surface = JSON.parse(readFileSync(file, "utf8"));

/** What is called on main. */
const AREAS: Readonly<Record<string, RegExp>> = {
  system:
    /^(?:ActorSystem|SupervisorRef|DynamicSupervisorRef|PartitionedSupervisor(?:Ref)?|Meters)\.|^(?:startSystem|handleSignals)$/,
  references: /^(?:ActorRef|RouterRef|PoolRef|Supervised\w+Ref)\./,
  rest: /^(?!ActorSystem|SupervisorRef|DynamicSupervisorRef|PartitionedSupervisor|Meters|ActorRef|RouterRef|PoolRef|Supervised|startSystem|handleSignals)/,
};

async function onMain(filter: RegExp): Promise<Report> {
  const main = await MainArea.create(seed, filter);
  const attack = new Attack(surface, main, seed);
  process.on("uncaughtException", (error, origin) => attack.failed(origin, error));
  const report = await attack.run(calls, forMs);
  await main.close();
  return report;
}

async function inActor(): Promise<Report> {
  const failures: string[] = [];
  process.on("uncaughtException", (error, origin) => failures.push(`${origin}: ${error.stack}`));
  const system = await startSystem({ logger: false, intensity: 1_000_000 });
  const target = new URL("../fixtures/target.actor.js", import.meta.url);
  const filename = new URL("../fixtures/any-task.js", import.meta.url);
  const peer = await system.startChild({ id: "peer", name: "peer", actor: target });
  const routed = await system.startChild(router({ id: "router", actor: target, size: 1, route: "round_robin" }));
  const threads = await system.startChild(pool({ id: "pool", filename, maxThreads: 1 }));
  const actor = new URL("../fixtures/attacker.actor.js", import.meta.url);
  const attacker = await system.startChild<typeof Attacker>({
    id: "attacker",
    actor,
    heapCapMb: 512,
    offHeapCapMb: 512,
  });
  for (let i = 0; i < 100; i++) void attacker.call("hold").catch(() => {});
  await attacker.call("attack", file, seed, calls, forMs, { peer, routed, threads } as never);
  const report = (await attacker.with({ timeoutMs: 60_000 }).call("report")) as Report;
  if (system.stats(attacker).incarnation !== 1) failures.push("the actor was started again");
  await system.stop({ timeoutMs: 1_000 });
  return { ...report, failures: [...report.failures, ...failures] };
}

// Its own handler of uncaught exceptions would swallow this, and the system keeps the process alive.
const failed = (error: unknown): never => {
  console.error(error);
  process.exit(1);
};
const report = await (area === "actor" ? inActor() : onMain(AREAS[area])).catch(failed);
console.log(JSON.stringify(report));
