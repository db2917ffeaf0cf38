import { fileURLToPath } from "node:url";
import { handleSignals } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { type Program, startProgram } from "../support/program.js";
import { testSystem } from "../support/system.js";

const file = fileURLToPath(new URL("./programs/signals.js", import.meta.url));

async function started(mode: string, ...rest: string[]): Promise<Program> {
  const program = startProgram(file, [mode, ...rest]);
  await program.says("ready");
  return program;
}

const linesAfterReady = (output: string): string[] => output.split("ready\n")[1].trim().split("\n");

// Promise: first-signal-stops-system
test.each(["SIGTERM", "SIGINT"] as const)("%s stops the system in order, and the exit code is 0", async (signal) => {
  const program = await started("idle");
  program.process.kill(signal);
  const { output, errors, ...end } = await program.ended;
  expect(end).toEqual({ code: 0, signal: null });
  expect(linesAfterReady(output)).toEqual([
    "closed",
    "door shutdown",
    "second shutdown",
    "first shutdown",
    `stopped: ${signal} handled: 0`,
    "exit 0",
  ]);
  expect(errors).toBe("");
});

// Promise: first-signal-stops-system
test("the first signal drains: what was accepted is handled", async () => {
  const program = await started("busy");
  program.process.kill("SIGTERM");
  const { output, code } = await program.ended;
  expect(output).toContain("stopped: SIGTERM handled: 40\n");
  expect(code).toBe(0);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  // Promise: second-signal-kills-once
  "a second signal, %s, kills at once, whatever the threads are doing",
  async (second) => {
    const program = await started("blocked", "60000");
    program.process.kill("SIGTERM");
    await program.says("door shutdown");
    const before = performance.now();
    program.process.kill(second);
    const { output, ...end } = await program.ended;
    expect(end).toMatchObject({ code: null, signal: second });
    expect(output).not.toContain("stopped:");
    expect(performance.now() - before).toBeLessThan(2000);
  },
);

// Promise: child-had-killed-lack
test("when timeoutMs is over the rest is killed, and the exit code is 1", async () => {
  const program = await started("hang", "300");
  const before = performance.now();
  program.process.kill("SIGTERM");
  const { output, code } = await program.ended;
  expect(performance.now() - before).toBeGreaterThan(250);
  expect(linesAfterReady(output).slice(3)).toEqual(["first killed", "stopped: SIGTERM handled: 0", "exit 1"]);
  expect(code).toBe(1);
});

// Promise: child-had-killed-lack
test("a terminate that throws makes the exit code 1", async () => {
  const program = await started("throw");
  program.process.kill("SIGTERM");
  expect(await program.ended).toMatchObject({ code: 1, signal: null });
});

// Promise: first-signal-stops-system
test("an exit code that was set stands in the place of 0", async () => {
  const program = await started("exit_code");
  program.process.kill("SIGTERM");
  expect(await program.ended).toMatchObject({ code: 3, signal: null });
});

test.each(["uncaught", "rejected"])(
  // Promise: uncaught-exception-unhandled-rejection
  "an exception that is %s on main stops the tree in order, is shown, and exits 1",
  async (mode) => {
    const { output, errors, ...end } = await startProgram(file, [mode]).ended;
    expect(end).toEqual({ code: 1, signal: null });
    expect(output).toContain(`first shutdown\nstopped: ${mode} handled: 0\nexit 1\n`);
    expect(errors).toContain(`Error: ${mode}`);
  },
);

// Promise: uncaught-exception-unhandled-rejection
test("an uncaught exception is a fatal record of the system's logger", async () => {
  const { errors, code } = await startProgram(file, ["logged"]).ended;
  expect(JSON.parse(errors.split("\n")[0])).toMatchObject({
    level: 60,
    origin: "uncaughtException",
    err: { message: "uncaught" },
  });
  expect(code).toBe(1);
});

// Promise: uncaught-exception-unhandled-rejection
test("an exception while the system drains does not cut it short", async () => {
  const program = await started("uncaught_meanwhile");
  program.process.kill("SIGTERM");
  const { output, errors, code } = await program.ended;
  expect(output).toContain("stopped: SIGTERM handled: 20\n");
  expect(errors).toContain("Error: meanwhile");
  expect(code).toBe(1);
});

// Promise: uncaught-exception-unhandled-rejection
test("after an exception it is the first signal that lets the drain go on, and the second that kills", async () => {
  const program = startProgram(file, ["uncaught_then_signals"]);
  await program.says("door shutdown");
  program.process.kill("SIGTERM");
  await program.says("stopped: uncaught handled: 40");
  expect(await program.ended).toMatchObject({ code: 1, signal: null });
});

// Promise: undone-function-returned-end
test.each(["forgotten", "stopped"])("a system that is %s leaves signals to the process", async (mode) => {
  const program = await started(mode);
  program.process.kill("SIGTERM");
  expect(await program.ended).toMatchObject({ code: null, signal: "SIGTERM" });
});

// Promise: undone-function-returned-end
test("with two systems the process ends when both have stopped", async () => {
  const program = await started("two");
  program.process.kill("SIGTERM");
  const { output, code } = await program.ended;
  expect(output).toContain("stopped: SIGTERM handled: 0\n");
  expect(output).toContain("slow handled: 30\nthe other stopped\n");
  expect(code).toBe(0);
});

test("signals that cannot be handled, and times that are none, are refused", async () => {
  const system = await testSystem();
  const before = process.listenerCount("SIGTERM");
  expect(() => handleSignals(system, { signals: ["SIGKILL"] })).toThrow(TypeError);
  expect(() => handleSignals(system, { signals: ["SIGTERM", "SIGNONE" as "SIGTERM"] })).toThrow(/SIGNONE/);
  expect(() => handleSignals(system, { timeoutMs: -1 })).toThrow(RangeError);
  expect(process.listenerCount("SIGTERM")).toBe(before);
});
