// Counts what the process has open before a system, and after it has been through a lot and was stopped.
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { dynamicSupervisor, resource, startSystem, supervisor } from "@mini-otp/runtime";
import type Echo from "../../fixtures/echo.actor.js";
import type Stubborn from "../../fixtures/stubborn.actor.js";

const here = (name: string): URL => new URL(`../../fixtures/${name}.actor.js`, import.meta.url);
const listeners = () =>
  Object.fromEntries(process.eventNames().map((name) => [name, process.listenerCount(name as "exit")]));
const settled = () => new Promise((resolve) => setImmediate(resolve));
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const census = () => ({
  threads: readdirSync("/proc/self/task").length,
  descriptors: readdirSync("/proc/self/fd").length,
  resources: process.getActiveResourcesInfo().sort(),
  listeners: listeners(),
});

async function lifeOfASystem(): Promise<void> {
  const server = resource({
    id: "server",
    async start() {
      const listener = createServer().listen(0, "127.0.0.1");
      await once(listener, "listening");
      return listener;
    },
    stop: (listener: Server) => new Promise((resolve) => listener.close(resolve)),
  });
  const system = await startSystem({ logger: false, intensity: 1000, children: [server] });
  const inner = await system.startChild(supervisor({ id: "inner", strategy: "one_for_all", intensity: 1000 }));
  const echo = await inner.startChild<typeof Echo>({ id: "echo", actor: here("echo") });
  const jobs = await system.startChild(dynamicSupervisor({ id: "jobs", template: { actor: here("stubborn") } }));
  const refs = await Promise.all([1, 2, 3].map(() => jobs.startChild<typeof Stubborn>({ args: {} })));
  for (const ref of refs) {
    await ref.cast("crash");
    await ref.with({ timeoutMs: 60_000 }).call("ready");
  }
  system.monitor(echo, () => {});
  // One that is in the middle of a call, one that waits for its restart, one that hangs.
  const call = echo.with({ timeoutMs: 60_000 }).call("echo", new Uint8Array(4_000_000));
  const waiting = await system.startChild<typeof Stubborn>({
    id: "waiting",
    actor: here("stubborn"),
    backoff: { minMs: 60_000, maxMs: 60_000 },
  });
  await waiting.cast("crash");
  const hanging = await system.startChild<typeof Stubborn>({ id: "hanging", actor: here("stubborn") });
  await hanging.cast("loop");
  while (system.stats(hanging).handling === null) await settled();
  const open = hanging
    .with({ timeoutMs: 60_000 })
    .call("ready")
    .catch(() => {});
  await system.stop({ timeoutMs: 500 });
  await Promise.all([open, call.catch(() => {})]);
}

/** A handle that is closed is listed until its object is collected. */
async function atRest(): Promise<void> {
  await settled();
  collectGarbage();
  await settled();
}

// The first one leaves what Node keeps for ever: its pool of threads, modules, lazy descriptors.
await lifeOfASystem();
await atRest();
const before = census();
for (let i = 0; i < 2; i++) await lifeOfASystem();
await atRest();
console.log(JSON.stringify({ before, after: census() }));
