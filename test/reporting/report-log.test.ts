import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { expect, test } from "vitest";
import { ReportLog } from "#runtime/reporting/report-log.js";
import type { SupervisionReport } from "#runtime/supervision/report.js";
import { virtualClock } from "#runtime/supervision/virtual-clock.js";
import { recordingLogger } from "../support/recording-logger.js";

const OFFENDER = { id: "a", type: "worker", restart: "permanent", significant: false, shutdown: 5_000 } as const;

function exited(reason: ExitReason, id = "root/a", incarnation = 1): SupervisionReport {
  const clean = reason.kind === "normal" || reason.kind === "shutdown";
  const context = clean ? {} : ({ context: "child_terminated" } as const);
  return { event: "actor_exited", id, at: 0, supervisor: "root", offender: OFFENDER, incarnation, reason, ...context };
}
const boom = (message = "boom"): ExitReason => ({ kind: "error", error: new TypeError(message) });

function reportLog() {
  const clock = virtualClock();
  const { logger, lines } = recordingLogger();
  return { clock, lines, log: new ReportLog(logger, clock) };
}

test("a crash is one error with OTP's context, the offender and the error in the form loggers print", () => {
  const { log, lines } = reportLog();
  log.add({ ...exited(boom()), lastMethod: "work", queueLength: 3, heapCapMb: 64, heapUsedMb: 12 } as never);
  expect(lines).toMatchObject([
    {
      level: "error",
      message: "root/a actor_exited: error (TypeError: boom)",
      fields: {
        event: "actor_exited",
        actor: "root/a",
        supervisor: "root",
        context: "child_terminated",
        offender: OFFENDER,
        incarnation: 1,
        lastMethod: "work",
        queueLength: 3,
        heapCapMb: 64,
        heapUsedMb: 12,
        reason: { kind: "error", err: { type: "TypeError", message: "boom", stack: expect.any(String) } },
      },
    },
  ]);
});

test.each([
  [{ restartsLeft: 2, periodMs: 5_000 }, "; root allows 2 more restarts within 5 s"],
  [{ restartsLeft: 1, periodMs: 1_500 }, "; root allows 1 more restart within 1.5 s"],
  [{ restartsLeft: 0, periodMs: 100 }, "; root allows no more restarts within 100 ms"],
  [{ restartsLeft: -1, periodMs: 100 }, ""],
  [undefined, ""],
])("a crash says what is left of the restart budget: %o", (budget, clause) => {
  const { log, lines } = reportLog();
  log.add(exited(boom()), budget);
  expect(lines[0].message).toBe(`root/a actor_exited: error (TypeError: boom)${clause}`);
  const isLeft = budget !== undefined && budget.restartsLeft >= 0;
  expect(lines[0].fields.restartsLeft).toBe(isLeft ? budget.restartsLeft : undefined);
});

// Promise: normal-shutdown-shutdown-detail
test("[crash] an end with normal, shutdown or shutdown with detail is no error", () => {
  const { log, lines } = reportLog();
  for (const reason of [{ kind: "normal" }, { kind: "shutdown" }, { kind: "shutdown", detail: "d" }] as const) {
    log.add(exited(reason));
  }
  expect(lines.map(({ level }) => level)).toEqual(["info", "info", "info"]);
});

// Promise: storm-identical-reports-collapsed
test("of identical reports three are logged as they come, and the rest as one line in five seconds", async () => {
  const { log, lines, clock } = reportLog();
  for (let i = 1; i <= 10; i++) log.add(exited(boom(), "root/a", i));
  expect(lines.map(({ fields }) => fields.incarnation)).toEqual([1, 2, 3]);
  await clock.advance(5_000);
  expect(lines).toHaveLength(4);
  expect(lines[3]).toMatchObject({ level: "error", fields: { repeated: 7, incarnation: 10 } });
  expect(lines[3].message).toBe("root/a actor_exited: error (TypeError: boom) (7 times)");
  for (let i = 11; i <= 15; i++) log.add(exited(boom(), "root/a", i));
  await clock.advance(5_000);
  expect(lines.slice(4)).toMatchObject([{ fields: { repeated: 5, incarnation: 15 } }]);
});

test("reports are identical when event, id, kind of reason and error are, and other ones are not held back", () => {
  const { log, lines } = reportLog();
  const different = [
    exited(boom()),
    exited(boom("other")),
    exited({ kind: "error", error: new RangeError("boom") }),
    exited(boom(), "root/b"),
    exited({ kind: "killed" }),
    { ...exited(boom()), event: "child_start_failed", context: "start_error" } as SupervisionReport,
  ];
  for (const report of different) for (let i = 0; i < 4; i++) log.add(report);
  expect(lines).toHaveLength(different.length * 3);
});

test("what was held back is logged when the system stops, and no timer is left", () => {
  const { log, lines, clock } = reportLog();
  for (let i = 0; i < 5; i++) log.add(exited(boom()));
  log.close();
  expect(lines.map(({ fields }) => fields.repeated)).toEqual([undefined, undefined, undefined, 2]);
  expect(clock.pendingTimers).toBe(0);
});

test("what has not come for a while is news again", async () => {
  const { log, lines, clock } = reportLog();
  for (let i = 0; i < 4; i++) log.add(exited(boom()));
  await clock.advance(15_000);
  expect(clock.pendingTimers).toBe(0);
  log.add(exited(boom()));
  expect(lines.map(({ fields }) => fields.repeated)).toEqual([undefined, undefined, undefined, undefined, undefined]);
});

// Promise: crash-stack-in-one
test("the failure for which a supervisor gives up is a record of its own before that, with its stack", () => {
  const { log, lines } = reportLog();
  const budget = (restartsLeft: number) => ({ restartsLeft, periodMs: 5_000 });
  const last = boom();
  for (let i = 1; i <= 3; i++) log.add(exited(boom(), "root/a", i), budget(3 - i));
  log.add(exited(last, "root/a", 4), budget(-1));
  const detail: ExitReason = { kind: "reached_max_restart_intensity", id: "root/a", reason: last };
  const escalated = { ...exited({ kind: "shutdown", detail }, "root"), event: "supervisor_escalated" };
  log.add(escalated as unknown as SupervisionReport);
  expect(lines.map(({ fields }) => [fields.event, fields.incarnation, fields.repeated])).toEqual([
    ["actor_exited", 1, undefined],
    ["actor_exited", 2, undefined],
    ["actor_exited", 3, undefined],
    ["actor_exited", 4, undefined],
    ["supervisor_escalated", 1, undefined],
  ]);
  expect(lines[3].fields.reason.err.stack).toContain("report-log.test");
  expect(lines[3].message).toBe("root/a actor_exited: error (TypeError: boom)");
  log.close();
  expect(lines).toHaveLength(5);
});

test("a storm of 10 000 crashes of 20 actors in a minute is at most 320 lines", async () => {
  const { log, lines, clock } = reportLog();
  for (let i = 0; i < 10_000; i++) {
    log.add(exited(boom(), `root/${i % 20}`, i));
    if (i % 100 === 0) await clock.advance(600);
  }
  log.close();
  expect(lines.length).toBeLessThanOrEqual(20 * (3 + 13));
  const told = lines.reduce((sum, { fields }) => sum + (fields.repeated ?? 1), 0);
  expect(told).toBe(10_000);
});
