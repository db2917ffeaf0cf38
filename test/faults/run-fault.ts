// Runs one fault program in this process, beside a sibling that is pinged all the while, and prints what happened.
// Usage: node run-fault.js <fault>
import { type ActorRef, type ExitReason, startSystem } from "@mini-otp/runtime";
import { FAULT, moduleOf, print, ROW, settled, zombiesOf } from "./observing.js";
import { LoopDelay, Pinger } from "./pinger.js";
import type Sibling from "./sibling.actor.js";

const HEAP_CAP_MB = 64;
const { stage, handlerTimeoutMs, startTimeoutMs, shutdownMs = 5000 } = ROW;

const system = await startSystem({ logger: false, intensity: 1000 });
const zombies = zombiesOf(system);
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

print({
  reason,
  call,
  startCode,
  restarted,
  zombies: zombies(),
  endedMs,
  siblingMaxMs,
  siblingPings,
  loopDelayMaxMs,
});
