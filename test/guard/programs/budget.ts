// Two actors and a budget for the process: prints who is ended.
import { startSystem } from "@mini-otp/runtime";
import type Memory from "../fixtures/memory.actor.js";

const system = await startSystem({ logger: false, intensity: 100, guard: { totalMb: 400 } });
const spec = { actor: new URL("../fixtures/memory.actor.js", import.meta.url), heapCapMb: 1000, offHeapCapMb: 1000 };
const small = await system.startChild<typeof Memory>({ id: "small", ...spec });
const large = await system.startChild<typeof Memory>({ id: "large", ...spec });
const killed = new Promise<void>((resolve) => {
  system.on("guard_killed", ({ id, reason }) => {
    console.log(id, reason.kind);
    resolve();
  });
});
await small.call("keepBuffers", 100);
// The guard tells of its decision before the thread has ended: until then the actor goes on.
const ended = new Promise<void>((resolve) => {
  system.on("actor_exited", ({ id }) => {
    if (id === "root/large") resolve();
  });
});
await large.call("keepBuffers", 350).catch(() => {});
await Promise.all([killed, ended]);
console.log("small", await small.call("ping"), "large", await large.call("ping"));
await system.stop();
