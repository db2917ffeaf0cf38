import pino from "pino";
import { expect, test } from "vitest";
import { readableLine } from "#runtime/reporting/readable-line.js";
import { ReportLog } from "#runtime/reporting/report-log.js";
import { virtualClock } from "#runtime/supervision/virtual-clock.js";

const PLAIN = { colors: false, fullStacks: false };
const TIME = /^\d\d:\d\d:\d\d\.\d{3} /;

/** What is printed of what pino gets. */
function printed(write: (logger: pino.Logger) => void, options = PLAIN): string {
  let text = "";
  write(pino({ name: "demo", level: "trace" }, { write: (line) => (text += readableLine(line, options)) }));
  return text;
}

function failure(message = "boom"): Error {
  const error = new TypeError(message);
  error.stack = `TypeError: ${message}\n    at own (file:///app/a.js:1:2)\n    at node:internal/x:1:1`;
  return error;
}

test("a line is time, level, actor, message and fields, all in one line", () => {
  const text = printed((log) => log.warn({ actor: "root/a", incarnation: 1, thread: 2, batch: 3 }, "parsed %d", 12));
  expect(text).toMatch(TIME);
  expect(text.replace(TIME, "")).toBe("WARN  root/a: parsed 12 { batch: 3 }\n");
});

test("a line of the application's own, and one whose message names its actor, have no actor in front", () => {
  expect(printed((log) => log.info("started")).replace(TIME, "")).toBe("INFO  started\n");
  const text = printed((log) => log.error({ actor: "root/a" }, "root/a: broken"));
  expect(text.replace(TIME, "")).toBe("ERROR root/a: broken\n");
});

test("a crash is one line, and below it the frames of the actor's own code", () => {
  const offender = { id: "a", type: "worker", restart: "permanent", significant: false, shutdown: 5_000 } as const;
  const report = {
    event: "actor_exited",
    id: "root/a",
    at: 1.5,
    supervisor: "root",
    offender,
    incarnation: 1,
  } as const;
  const text = printed((log) =>
    new ReportLog(log, virtualClock()).add(
      {
        ...report,
        reason: { kind: "error", error: failure() },
        context: "child_terminated",
        lastMethod: "work",
      } as never,
      { restartsLeft: 2, periodMs: 5_000 },
    ),
  );
  expect(text.replace(TIME, "").split("\n")).toEqual([
    "ERROR root/a actor_exited: error (TypeError: boom); root allows 2 more restarts within 5 s { incarnation: 1, lastMethod: 'work' }",
    "    at own (file:///app/a.js:1:2)",
    "",
  ]);
});

test("an error that is logged is named once, with its own properties, and its frames follow", () => {
  const error = Object.assign(failure(), { code: "E_OWN" });
  expect(
    printed((log) => log.error(error))
      .replace(TIME, "")
      .split("\n"),
  ).toEqual(["ERROR TypeError: boom { err: { code: 'E_OWN' } }", "    at own (file:///app/a.js:1:2)", ""]);
  expect(
    printed((log) => log.error({ err: failure(), n: 1 }, "not saved"))
      .replace(TIME, "")
      .split("\n"),
  ).toEqual(["ERROR not saved { n: 1 }", "    TypeError: boom", "    at own (file:///app/a.js:1:2)", ""]);
});

test("with full stacks the frames of Node's inside are there", () => {
  const text = printed((log) => log.error(failure()), { colors: false, fullStacks: true });
  expect(text).toContain("at node:internal/x:1:1");
});

test("an actor's line cannot pass for a report, and loses no field by trying", () => {
  const fields = { offender: 1, supervisor: "root", event: "actor_exited", secret: 2, thread: 1, actor: "root/a" };
  expect(printed((log) => log.warn(fields, "x"))).toContain(
    "root/a: x { offender: 1, supervisor: 'root', event: 'actor_exited', secret: 2 }",
  );
});

// Promise: console-actor-logs-acts
test("what comes from an actor acts on no terminal and forges no line, with colors or without", () => {
  const evil = "\u001b[2J\r\n2026-01-01 FATAL\u009b31m\u202egpj";
  for (const colors of [false, true]) {
    const text = printed(
      (log) => {
        log.warn({ [evil]: evil, actor: evil, nested: { [evil]: [evil] } }, evil);
        log.error(failure(evil));
        log.error({ err: failure(evil) }, "told");
      },
      { colors, fullStacks: true },
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colors are there on purpose.
    const colorless = text.replace(/\u001b\[(?:0|2|31|33|1;31)m/g, "");
    expect(colorless === text).toBe(!colors);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there.
    expect(colorless).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(colorless).not.toMatch(/^2026/m);
  }
});

test("a text that is no line of pino's is printed as it is, escaped", () => {
  expect(readableLine("not {json \u009b\n", PLAIN)).toBe("not {json \\u009b\n");
  expect(readableLine("null\n", PLAIN)).toBe("null\n");
});
