import { fileURLToPath } from "node:url";
import { printable } from "@mini-otp/worker-host/protocol/errors";
import fc from "fast-check";
import { expect, test } from "vitest";
import { printableArgs } from "#runtime/reporting/printable.js";
import { startProgram } from "../support/program.js";

const program = fileURLToPath(new URL("./programs/terminal.js", import.meta.url));
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there.
const ACTS_ON_A_TERMINAL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

test.each(["console", "borrowed"])(
  // Promise: console-actor-logs-acts
  "what an actor logs, throws and prints acts on no terminal, and forges no line: %s",
  async (logger) => {
    const { output, errors, code } = await startProgram(program, [logger]).ended;
    expect(code, errors).toBe(0);
    const printed = output + errors;
    expect(printed).toContain("the last");
    expect(printed).toContain("\\u001b[2J");
    expect(ACTS_ON_A_TERMINAL.exec(printed)).toBe(null);
    // An error's message is shown with its stack, in the lines of its record.
    expect(printed).not.toMatch(/^2026-01-01 FATAL/m);
  },
);

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
