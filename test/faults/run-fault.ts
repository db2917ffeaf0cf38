// Runs one fault program in this process, beside a sibling that is pinged all the while, and prints what happened.
// Usage: node run-fault.js <fault>
import { type ActorRef, type ExitReason, isActorError, startSystem } from "@mini-otp/runtime";
import { FAULTS } from "./fault-table.js";
import type { Observation } from "./observation.js";
import { LoopDelay, Pinger } from "./pinger.js";
import type Sibling from "./sibling.actor.js";

const HEAP_CAP_MB = 64;
const FAULT = process.argv[2] ?? "";
const { stage, handlerTimeoutMs, startTimeoutMs, shutdownMs = 5000 } = FAULTS[FAULT];
const moduleOf = (name: string) => new URL(`./${name}.actor.js`, import.meta.url);

let openCalls = 0;
/** Counts a call until it has settled. */
async function settled(call: Promise<unknown>): Promise<string> {
  openCalls++;
  try {
    await call;
    return "replied";
  } catch (error) {
    return isActorError(error) ? error.code : String((error as Error).message);
  } finally {
    openCalls--;
  }
}

const system = await startSystem({ logger: false, intensity: 1000 });
let zombies = 0;
system.on("actor_zombie", () => zombies++);
const sibling = await system.startChild<typeof Sibling>({ id: "sibling", actor: moduleOf("sibling") });
await sibling.call("echo", 0);

const failed = new Promise<ExitReason>((resolve) => {
  system.on("child_start_failed", (event) => resolve(event.reason));
  system.on("actor_exited", (event) => {
    if (event.id === "root/fault") resolve(event.reason);
  });
});
const spec = {
  id: "fault",
  actor: moduleOf(FAULT),
  heapCapMb: HEAP_CAP_MB,
  offHeapCapMb: HEAP_CAP_MB,
  ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
  ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }),
  shutdown: shutdownMs,
};

let fault: ActorRef | undefined;
if (stage !== "start") {
  fault = await system.startChild(spec);
  await fault.call("ping");
}
const pinger = new Pinger(sibling);
const delay = new LoopDelay();
const startedMs = performance.now();
let call = "";
let startCode: string | undefined;
let restarted = false;
switch (stage) {
  case "handler": {
    const calling = settled(fault!.with({ timeoutMs: 30_000 }).call("run"));
    await failed;
    call = await calling;
    break;
  }
  case "start":
    startCode = await settled(system.startChild(spec));
    await failed;
    break;
  case "stop":
    await system.terminateChild("fault");
    break;
}
const endedMs = performance.now() - startedMs;
if (stage === "handler") {
  restarted = (await fault!.with({ timeoutMs: 20_000 }).call("ping")) === 2;
}
const { maxMs: siblingMaxMs, pings: siblingPings } = await pinger.stop();
const loopDelayMaxMs = delay.stop();
const reason = await failed;
await system.stop({ timeoutMs: 2000 });

const observation: Observation = {
  fault: FAULT,
  node: process.version,
  reason: { ...reason, ...("error" in reason ? { error: String((reason.error as Error)?.message) } : {}) },
  call,
  startCode,
  restarted,
  zombies,
  endedMs,
  siblingMaxMs,
  siblingPings,
  loopDelayMaxMs,
  peakRssMb: process.resourceUsage().maxRSS / 1024,
  openCalls,
};
// A fault may have left an unfinished line.
console.log(`\n${JSON.stringify(observation)}`);
