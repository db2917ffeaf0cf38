// Runs one fault program in this process as a light actor, with a neighbour in its thread, and beside a sibling in
// another thread that is pinged all the while. Prints what happened. Usage: node run-light-fault.js <fault>
import { dynamicSupervisor, type ExitReason, type PartitionedSupervisorRef, startSystem } from "@mini-otp/runtime";
import type Neighbour from "./neighbour.actor.js";
import { FAULT, moduleOf, print, ROW, settled, zombiesOf } from "./observing.js";
import { LoopDelay, Pinger } from "./pinger.js";
import type Sibling from "./sibling.actor.js";

const CAP_MB = 64;
/** The neighbour has something in hand for so long, and a message that waits behind it. */
const HELD_MS = 500;
const { handlerTimeoutMs } = ROW;

const limits = { intensity: 1000, periodMs: 60_000 };
const system = await startSystem({ logger: false, ...limits });
const zombies = zombiesOf(system);
const light = (await system.startChild(
  dynamicSupervisor({
    id: "light",
    threads: { count: 2, place: "round_robin", heapCapMb: CAP_MB, offHeapCapMb: CAP_MB },
    template: { restart: "permanent" },
    ...limits,
  }),
)) as unknown as PartitionedSupervisorRef<any>;
const fault = await light.startChild({
  id: "fault",
  actor: moduleOf(FAULT),
  ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
});
const sibling = await light.startChild<typeof Sibling>({ id: "sibling", actor: moduleOf("sibling") });
const neighbour = await light.startChild<typeof Neighbour>({
  id: "neighbour",
  actor: moduleOf("neighbour"),
  sameThreadAs: fault,
});
await Promise.all([fault.call("ping"), sibling.call("echo", 0), neighbour.call("echo", 0)]);
const failed = new Promise<ExitReason>((resolve) => {
  system.monitor(fault, ({ reason }) => resolve(reason.kind === "partition_ended" ? reason.reason : reason));
});

const pinger = new Pinger(sibling);
const delay = new LoopDelay();
const patient = { timeoutMs: 30_000 };
const held = settled(neighbour.with(patient).call("hold", HELD_MS));
const echo = neighbour.with(patient).call("echo", 7);
const waiting = settled(echo);
const startedMs = performance.now();
const calling = settled(fault.with(patient).call("run"));
const reason = await failed;
const call = await calling;
const endedMs = performance.now() - startedMs;
const restarted = (await fault.with(patient).call("ping")) === 2;
await held;
const accepted = (await waiting) === "replied" ? String(await echo) : await waiting;
const { maxMs: siblingMaxMs, pings: siblingPings } = await pinger.stop();
const loopDelayMaxMs = delay.stop();
await system.stop({ timeoutMs: 2000 });

print({
  reason,
  call,
  startCode: undefined,
  restarted,
  accepted,
  zombies: zombies(),
  endedMs,
  siblingMaxMs,
  siblingPings,
  loopDelayMaxMs,
});
