import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/loggers.js", import.meta.url));

/** What it wrote of itself, and how it ended. */
async function attack(mode: string, handler: string, meanwhile: (started: ReturnType<typeof startProgram>) => unknown) {
  const folder = mkdtempSync(join(tmpdir(), "loggers-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "result");
  const started = startProgram(program, [mode, file, handler]);
  await meanwhile(started);
  const { code, signal, errors } = await started.ended;
  expect({ code, signal }, errors).toEqual({ code: 0, signal: null });
  return JSON.parse(readFileSync(file, "utf8"));
}

const LOSING = [
  "stderr full",
  "both full, console",
  "nobody reads",
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
const KEEPING = ["stdout full", "stderr slow", "listeners throw", "listeners reject"];
const CASES = [...LOSING, ...KEEPING].flatMap((mode) =>
  ["no handler", "handler"].map((handler) => ({ mode, handler })),
);

test.each(CASES)(
  "a crashed actor is restarted, calls settle and stop resolves: $mode, with $handler",
  async ({ mode, handler }) => {
    const { lost, ...rest } = await attack(mode, handler, async (started) => {
      if (mode === "stderr slow") started.process.stderr?.pause();
      if (mode !== "nobody reads") return;
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
