import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { startProgram } from "../support/program.js";

const file = fileURLToPath(new URL("./programs/deadline.js", import.meta.url));

const STATES = ["idle", "loaded", "looping", "hanging in terminate", "restarting", "blocked in native code"] as const;
const TIMEOUTS_MS = ofPart([1_000], [100], [100, 1_000, 5_000]);

/** Who has to be killed, however much time there is. Those who need no killing may, when the machine is busy. */
const ALWAYS_KILLED: Record<(typeof STATES)[number], boolean> = {
  idle: false,
  loaded: true,
  looping: true,
  "hanging in terminate": true,
  restarting: false,
  "blocked in native code": true,
};

const cases = STATES.flatMap((state) => TIMEOUTS_MS.map((timeoutMs) => ({ state, timeoutMs })));

test.each(cases)(
  // Promise: stop-timeoutms-deadline-whole
  "actors that are $state are stopped within $timeoutMs ms, and the process ends",
  async ({ state, timeoutMs }) => {
    const { output, errors, code, signal } = await startProgram(file, [state, String(timeoutMs)]).ended;
    expect(errors).toBe("");
    const report = JSON.parse(output);
    // A machine that is busy with something else gives main its core late: that is not the stop's doing.
    expect(report.tookMs - report.starvedMs).toBeLessThan(timeoutMs + 200);
    if (ALWAYS_KILLED[state]) {
      expect(report.killed).toBe(true);
      expect(report.tookMs).toBeGreaterThan(timeoutMs * 0.9);
    }
    if (state !== "restarting") expect(report.ids).toEqual(["root/a", "root/inner/b", "root/inner/c", "root/many/d"]);
    if (state === "loaded") expect(report).toMatchObject({ dropped: expect.any(Number), drained: expect.any(Number) });
    if (state === "loaded") expect(report.dropped + report.drained).toBeLessThanOrEqual(3600);
    if (state === "blocked in native code") expect(report.zombie).toBe(true);
    // Node waits for every thread: with one that cannot be ended, the process leaves by a signal where it must.
    expect([code, signal]).toEqual(report.zombie && code === null ? [null, "SIGKILL"] : [0, null]);
  },
  60_000,
);
