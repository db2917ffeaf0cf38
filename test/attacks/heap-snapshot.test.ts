import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { oneInThree } from "../support/part.js";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/heap-snapshot.js", import.meta.url));

const WAYS = {
  kill: "a kill of the actor",
  crash: "its crash",
  leave: "its process.exit",
  unresponsive: "its end by the watchdog",
  upgrade: "its upgrade",
  permissions: "a crash where no inspector reaches the thread",
  stop: "the system's stop",
};
/** Each with a snapshot in both states, or in one of them by turns. */
const CASES = Object.entries(WAYS)
  .flatMap(([way, what]) => ["unread", "read half"].map((read) => ({ read, way, what })))
  .filter((_, i) => oneInThree(i));

// Promise: heap-snapshot-whole-promise
test.each(CASES)("with a heap snapshot that is $read, the process outlives $what", async ({ read, way }) => {
  const { output, errors, code, signal } = await startProgram(program, [way, read]).ended;
  expect({ output, code, signal }, errors).toEqual({ output: "lives\n", code: 0, signal: null });
});
