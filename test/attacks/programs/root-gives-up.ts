// A root that gives up, in the circumstances that the first argument names; the others are timeoutMs and the exit code that
// is set. Prints how it went.
import { createServer } from "node:http";
import { handleSignals, resource, startSystem, supervisor } from "@mini-otp/runtime";
import type Stubborn from "../../fixtures/stubborn.actor.js";
import type Scribbler from "../fixtures/scribbler.actor.js";

const [mode, timeoutMs, exitCode] = process.argv.slice(2);
if (exitCode !== undefined) process.exitCode = Number(exitCode);
const actor = new URL("../fixtures/scribbler.actor.js", import.meta.url);
const stubborn = new URL("../../fixtures/stubborn.actor.js", import.meta.url);
const system = await startSystem({ intensity: 2, periodMs: 20_000, ...(mode === "silent" ? { logger: false } : {}) });
const options = { timeoutMs: Number(timeoutMs) };
if (mode !== "unhandled" && mode !== "late" && mode !== "stopped" && mode !== "forgotten")
  handleSignals(system, options);
if (mode === "forgotten") handleSignals(system, options)();
if (mode !== "stopped" && mode !== "nothing open") {
  const server = createServer();
  await system.startChild(resource({ id: "idle", start: () => {}, stop: () => {} }));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  if (mode === "unhandled" || mode === "forgotten") setTimeout(() => server.close(), 500);
}
if (mode === "hanging sibling") {
  const args = { terminate: "hang" } as const;
  await system.startChild<typeof Stubborn>({ id: "hanging", actor: stubborn, args, shutdown: 60_000 });
}
if (mode === "nested") {
  await system.startChild(supervisor({ id: "inner", intensity: 0, children: [{ id: "nested", actor }] }));
}
if (mode === "throwing listeners") {
  const raise = (): never => {
    throw new Error("raised");
  };
  system.on("supervisor_escalated", raise);
  system.on("system_stopped", raise);
}
system.on("system_stopped", ({ reason }) => console.log("stopped", reason.kind));
void system.terminated.then((reason) => {
  console.log("terminated", reason.kind);
  if (mode === "late") handleSignals(system, options);
});
process.on("exit", (code) => console.log("exit", code));
const bad = await system.startChild<typeof Scribbler>({ id: "bad", actor });
if (mode === "stopped") {
  await bad.call("crash").catch(() => {});
  await system.stop();
} else if (mode === "nested") {
  for (let crash = 0; crash < 3; crash++) {
    const restarted = new Promise<void>((resolve) => void system.on("actor_started", () => resolve()));
    await system
      .child("inner")
      .child("nested")
      .call("crash")
      .catch(() => {});
    await Promise.race([restarted, system.terminated]);
  }
} else {
  for (let crash = 0; crash < 3; crash++) await bad.call("crash").catch(() => {});
}
