import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runProgram } from "./program.js";

const TIMEOUT_MS = 30_000;

test("an actor whose thread survives its kill goes on in another, with what its mailbox had accepted", {
  timeout: TIMEOUT_MS,
}, async () => {
  const { output, code } = await runProgram("zombie", { args: ["4000", "{}"] });
  expect(output.trim().split("\n")).toEqual([
    "zombie root/memory unresponsive",
    "blocked ERR_CALL_EXIT",
    "queued 2 2 2 2 2",
    "later 2",
    "stopped in time true false",
    "exit 5",
  ]);
  // Not waiting for the thread: the exit code is kept where Node can replace the process's image.
  expect([5, null]).toContain(code);
});

test("a process whose thread ends late, after it was given up, keeps its exit code", {
  timeout: TIMEOUT_MS,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "late-thread-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ended = await runProgram("late-thread", { args: [join(folder, "pid")] });
  expect(ended).toEqual({ output: "given up true\n", code: 5, signal: null });
});

test("under onZombie exit, the others are stopped and the process leaves", { timeout: TIMEOUT_MS }, async () => {
  const { output, code, signal } = await runProgram("zombie", { args: ["8000", '{"onZombie":"exit"}'] });
  expect(output).toContain("zombie root/memory unresponsive");
  expect(output.trim().split("\n").at(-1)).toMatch(/^exit \d/);
  expect(code !== 0 || signal !== null).toBe(true);
});

test.each([
  ["stays, when nothing grows that is no actor's", "0", ["zombie", "lives true", "exit 0"]],
  ["is given up when what is no actor's goes on growing", "120", ["zombie", "exit 1"]],
])(
  "a process over its budget, with a thread that survived its kill, %s",
  { timeout: TIMEOUT_MS },
  async (_, growMb, said) => {
    const { output } = await runProgram("growing-zombie", { args: [growMb] });
    expect(output.trim().split("\n")).toEqual(said);
  },
);
