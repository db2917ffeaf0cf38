import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { printable } from "@mini-otp/worker-host/protocol/errors";
import fc from "fast-check";
import { expect, test } from "vitest";
import { printableArgs } from "#runtime/reporting/printable.js";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/terminal.js", import.meta.url));
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there.
const ACTS_ON_A_TERMINAL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

test.each(["console", "borrowed", "default"])(
  // Promise: console-actor-logs-acts
  "what an actor logs, throws and prints acts on no terminal, and forges no line: %s",
  async (logger) => {
    const { output, errors, code } = await startProgram(program, [logger], { MINI_OTP_LOG: "readable" }).ended;
    expect(code, errors).toBe(0);
    const printed = output + errors;
    expect(printed).toContain("the last");
    expect(printed).toContain("\\u001b[2J");
    expect(ACTS_ON_A_TERMINAL.exec(printed)).toBe(null);
    // An error's message is shown with its stack, in the lines of its record.
    expect(printed).not.toMatch(/^2026-01-01 FATAL/m);
  },
);

/** What a program prints whose stdout and stderr are a terminal. */
async function onTerminal(env: NodeJS.ProcessEnv): Promise<string> {
  const { FORCE_COLOR: _, NO_COLOR: __, CI: ___, ...rest } = process.env;
  const command = `'${process.execPath}' '${program}' default`;
  const options = { env: { ...rest, TERM: "xterm-256color", ...env } };
  return (await promisify(execFile)("script", ["-qec", command, "/dev/null"], options)).stdout;
}

// Promise: terminal-log-readable
test("on a terminal the default logger writes for a reader, in colors unless NO_COLOR is set", async () => {
  const colored = await onTerminal({});
  expect(colored).toContain("\u001b[33mWARN \u001b[0m root/scribe: the last");
  expect(colored).not.toMatch(/^\{"level"/m);
  const plain = await onTerminal({ NO_COLOR: "1" });
  expect(plain).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}root\/scribe: the last\r?$/m);
});

// Promise: terminal-log-readable
test("elsewhere it writes JSON, and on a terminal when MINI_OTP_LOG says so", async () => {
  expect(await onTerminal({ MINI_OTP_LOG: "json" })).toMatch(/^\{"level":40.*"msg":"the last"\}\r?$/m);
  const { errors } = await startProgram(program, ["default"]).ended;
  expect(errors).toMatch(/^\{"level":40.*"msg":"the last"\}$/m);
});

test("every character that acts on a terminal is escaped, and everything else stays", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const escaped = printable(text, "\t");
      expect(escaped).not.toMatch(ACTS_ON_A_TERMINAL);
      expect(escaped).not.toContain("\n");
      const acts = ACTS_ON_A_TERMINAL.test(text) || /[\n\u061c\u2028\u2029]/.test(text);
      expect(escaped === text).toBe(!acts);
    }),
  );
});

test.each([
  [["plain"], "plain"],
  [["%s has %d", "a", 2], "a has 2"],
  [["100 % sure"], "100 % sure"],
  [[{ a: 1 }, "message"], "{ a: 1 } message"],
  [[{ a: 1 }], "{ a: 1 }"],
  [[{ a: "x\ny" }, "one\ntwo"], "{ a: 'x\\ny' } one\\ntwo"],
])("%j is printed as %j", (args, text) => {
  expect(printableArgs(args)).toEqual(["%s", text]);
});
