import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registerMetrics } from "@mini-otp/metrics";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { oneInThree } from "../support/part.js";
import { startProgram } from "../support/program.js";
import { testSystem } from "../support/system.js";

const program = fileURLToPath(new URL("./programs/loggers.js", import.meta.url));
const SCRIBBLER = new URL("./fixtures/scribbler.actor.js", import.meta.url);

/** The default logger, in the form that it has on a terminal. */
const READABLE = ", readable";

/** What it wrote of itself, and how it ended. */
async function attack(mode: string, handler: string, meanwhile: (started: ReturnType<typeof startProgram>) => unknown) {
  const folder = mkdtempSync(join(tmpdir(), "loggers-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "result");
  const started = startProgram(
    program,
    [mode, file, handler],
    mode.endsWith(READABLE) ? { MINI_OTP_LOG: "readable" } : {},
  );
  await meanwhile(started);
  const { code, signal, errors } = await started.ended;
  expect({ code, signal }, errors).toEqual({ code: 0, signal: null });
  return JSON.parse(readFileSync(file, "utf8"));
}

const LOSING = [
  "stderr full",
  "stderr full, readable",
  "both full, console",
  "no reader",
  "no reader, readable",
  "throws",
  "rejects",
  "throws at errors only",
  "getters throw",
  "pino, formatters throw",
  "pino, stream throws",
  "pino, disk full",
  "pino, disk full, asynchronous",
  "pino, stderr full by transport",
  "pino, serializers throw",
];
const KEEPING = ["stdout full", "stderr slow", "stderr slow, readable", "listeners throw", "listeners reject"];
/** Each with and without a handler, or with one by turns. */
const CASES = [...LOSING, ...KEEPING]
  .flatMap((mode) => ["no handler", "handler"].map((handler) => ({ mode, handler })))
  .filter((_, i) => oneInThree(i));

test.each(CASES)(
  // Promise: supervisor-does-whatever-logger
  "a crashed actor is restarted, calls settle and stop resolves: $mode, with $handler",
  async ({ mode, handler }) => {
    const { lost, ...rest } = await attack(mode, handler, async (started) => {
      if (mode.startsWith("stderr slow")) started.process.stderr?.pause();
      if (!mode.startsWith("no reader")) return;
      await started.says("ready");
      started.process.stdout?.destroy();
      started.process.stderr?.destroy();
      started.process.stdin?.end();
    });
    expect(rest).toEqual({ before: 1, crash: "ERR_CALL_EXIT", after: 2, actors: 1, killed: false, uncaught: [] });
    if (LOSING.includes(mode)) expect(lost).toBeGreaterThan(0);
    else expect(lost).toBe(0);
  },
);

// Promise: supervisor-does-whatever-logger
test("lines that are lost are in stats, and a metric", async () => {
  const raise = (): never => {
    throw new Error("raised");
  };
  const logger = { trace: raise, debug: raise, info: raise, warn: raise, error: raise, fatal: raise };
  const system = await testSystem({ logger });
  const scribbler = await system.startChild({ id: "scribbler", actor: SCRIBBLER });
  const before = system.stats().logLinesLost;
  await scribbler.call("write", 7, false);
  await eventually(() => system.stats().logLinesLost >= before + 7);
  const { registry } = registerMetrics(system, { registry: new Registry() });
  expect(await registry.metrics()).toContain(`\nmini_otp_log_lines_lost_total ${system.stats().logLinesLost}\n`);
});
