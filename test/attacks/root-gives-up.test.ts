import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/root-gives-up.js", import.meta.url));
const FATAL = 60;

async function giveUp(mode: string, timeoutMs = 20_000, ...exitCode: string[]) {
  const startedMs = performance.now();
  const { output, errors, code, signal } = await startProgram(program, [mode, String(timeoutMs), ...exitCode]).ended;
  expect(signal, errors).toBe(null);
  const lines = errors.split("\n").filter((line) => line.startsWith("{"));
  const fatal = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === FATAL);
  return { said: output.trim().split("\n"), errors, code, fatal, tookMs: performance.now() - startedMs };
}

test.each([
  ["a listening server", "server"],
  ["listeners that throw", "throwing listeners"],
  // Promise: leaves-fatal-record-exit
])("when the root gives up, the process ends in order with 1, whatever keeps it alive: %s", async (_what, mode) => {
  const { said, code, fatal } = await giveUp(mode);
  expect(said).toEqual(["stopped shutdown", "terminated shutdown", "exit 1"]);
  expect(code).toBe(1);
  expect(fatal).toHaveLength(1);
});

// Promise: leaves-fatal-record-exit
test("the fatal record says which child failed how often, in which time, why, and what to do", async () => {
  const { fatal } = await giveUp("server");
  expect(fatal).toMatchObject([
    {
      actor: "root",
      child: "root/bad",
      failures: { "root/bad": 3 },
      intensity: 2,
      periodMs: 20_000,
      reason: { kind: "error", err: { type: "Error", message: "crash" } },
      msg: expect.stringMatching(
        /^root gives up, and the system stops: within periodMs=20000 root\/bad failed 3 times, and intensity=2 allows 2 restarts\. The last failure: root\/bad ended with error \(Error: crash\)\. .*backoff/,
      ),
    },
  ]);
});

// Promise: crash-stack-in-one
test.each(["server", "nested"])(
  "each crash's stack is printed once, without frames of the runtime: %s",
  async (mode) => {
    const { errors } = await giveUp(mode);
    const stacks = errors.split("\n").filter((line) => line.includes("\\n    at "));
    const crashes = errors
      .split("\n")
      .filter((line) => line.includes('"actor_exited"') && line.includes('"lastMethod"'));
    expect(crashes.length).toBeGreaterThan(2);
    expect(stacks).toEqual(crashes);
    expect(errors).not.toMatch(/node:internal|start-thread/);
  },
);

test("a supervisor below that gave up is named with the failure that was its last", async () => {
  const { fatal, code } = await giveUp("nested");
  expect(fatal[0].failures).toEqual({ "root/inner": 3 });
  expect(fatal[0].msg).toContain("reached_max_restart_intensity (root/inner/nested: error (Error: crash))");
  expect(code).toBe(1);
});

// Promise: leaves-fatal-record-exit
test("without handleSignals the process ends when nothing keeps it alive any more, with 1", async () => {
  const { said, code, fatal } = await giveUp("unhandled");
  expect(said).toEqual(["stopped shutdown", "terminated shutdown", "exit 1"]);
  expect(code).toBe(1);
  expect(fatal).toHaveLength(1);
});

// Promise: leaves-fatal-record-exit
test("an exit code that the application has set stands", async () => {
  expect((await giveUp("server", 20_000, "3")).code).toBe(3);
  expect((await giveUp("nothing open", 20_000, "0")).code).toBe(0);
});

test("handleSignals may come when the root has given up already", async () => {
  expect((await giveUp("late")).code).toBe(1);
});

test("what handleSignals has undone does not end the process", async () => {
  const { code, tookMs } = await giveUp("forgotten");
  expect(code).toBe(1);
  expect(tookMs).toBeGreaterThan(500);
});

// Promise: leaves-fatal-record-exit
test("a sibling that does not end is killed when timeoutMs is over", async () => {
  const { said, code } = await giveUp("hanging sibling", 300);
  expect(said.at(-1)).toBe("exit 1");
  expect(code).toBe(1);
});

test("a system without a logger says why the process ends all the same", async () => {
  const { errors, code } = await giveUp("silent");
  expect(errors).toContain("root/bad failed 3 times");
  expect(code).toBe(1);
});

// Promise: leaves-fatal-record-exit
test("a system that is stopped has not given up", async () => {
  const { code, fatal } = await giveUp("stopped");
  expect(fatal).toEqual([]);
  expect(code).toBe(0);
});
