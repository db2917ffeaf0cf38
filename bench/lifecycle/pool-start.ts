import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { pool, startSystem } from "@mini-otp/runtime";
import Tinypool from "tinypool";
import type Responder from "../actors/responder.actor.js";
import { spreadOf } from "../statistics.js";

const STARTS = 15;
const filename = new URL("../baseline/pool-task.js", import.meta.url);
const MESSAGE = { id: 1, name: "a", ok: true, score: 1 };

/** From the start of a pool of one, or of an actor, until its first answer, in ms. Each way in turn, `STARTS` times. */
export async function poolStart(): Promise<void> {
  const ways = {
    "mini-otp, thread": () => miniOtp("thread"),
    "mini-otp, process": () => miniOtp("process"),
    "an actor, thread": () => actorStart("thread"),
    "an actor, process": () => actorStart("process"),
    "tinypool, worker_threads": () => tinypool("worker_threads"),
    "tinypool, child_process": () => tinypool("child_process"),
    "a bare process, until it exits": bareProcess,
  };
  const takenMs = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let i = 0; i < STARTS; i++) {
    for (const [name, start] of Object.entries(ways)) takenMs.get(name)?.push(await start());
  }
  for (const [name, taken] of takenMs) {
    const { median, min, max } = spreadOf(taken);
    console.log(`start of a pool, ${name}: ${median.toFixed(0)} ms (${min.toFixed(0)} – ${max.toFixed(0)})`);
  }
}

async function miniOtp(isolation: "thread" | "process"): Promise<number> {
  await using system = await startSystem({ logger: false });
  const startedAt = performance.now();
  const tasks = await system.startChild(pool({ id: "pool", filename, isolation, maxThreads: 1 }));
  await tasks.run(MESSAGE);
  return performance.now() - startedAt;
}

async function actorStart(isolation: "thread" | "process"): Promise<number> {
  await using system = await startSystem({ logger: false });
  const startedAt = performance.now();
  const actor = new URL("../actors/responder.actor.js", import.meta.url);
  const responder = await system.startChild<typeof Responder>({ id: "responder", actor, isolation });
  await responder.call("handle", MESSAGE);
  return performance.now() - startedAt;
}

async function tinypool(runtime: "worker_threads" | "child_process"): Promise<number> {
  const startedAt = performance.now();
  const tasks = new Tinypool({ filename: filename.href, runtime, minThreads: 1, maxThreads: 1 });
  await tasks.run(MESSAGE);
  const tookMs = performance.now() - startedAt;
  await tasks.destroy();
  return tookMs;
}

/** What Node itself takes. */
async function bareProcess(): Promise<number> {
  const startedAt = performance.now();
  await once(fork(fileURLToPath(filename)), "exit");
  return performance.now() - startedAt;
}
