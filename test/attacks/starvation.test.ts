import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/starvation.js", import.meta.url));

interface Seen {
  readonly tookMs: readonly number[];
  readonly healthy: number;
  readonly blockedMs: number;
  readonly spinningMs: number;
  readonly kills: readonly string[];
}

// Promise: handlertimeoutms-does-count-time
test("beside eight busy processes a handler that computes is left alone, and a stuck one is ended", {
  timeout: 60_000,
}, async () => {
  const { output, errors } = await startProgram(program).ended;
  expect(errors).toBe("");
  const { tookMs, healthy, blockedMs, spinningMs, kills }: Seen = JSON.parse(output);
  // It was starved: else this shows nothing.
  expect(Math.max(...tookMs), output).toBeGreaterThan(1000);
  expect(healthy, output).toBe(0);
  expect(kills, output).toEqual(["unresponsive", "unresponsive"]);
  expect(blockedMs, output).toBeLessThan(5000);
  expect(spinningMs, output).toBeLessThan(15_000);
});
