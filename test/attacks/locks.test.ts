import { expect, test } from "vitest";
import { runProgram } from "../isolation/program.js";

/** Main is away for tens of ms when a thread starts on a busy machine. */
const MOST_AWAY_MS = 2000;

test.each([
  ["enters the names of its methods", "names"],
  ["sends to another", "send"],
  ["sends to a mailbox that drops its oldest", "drop_oldest"],
])(
  "main goes on while an actor stands still or dies at any atomic operation as it %s",
  async (_how, what) => {
    const { output, code } = await runProgram("../../attacks/programs/locks", { args: [what] });
    const { held, rounds, awayMs, alive } = JSON.parse(output);
    // So many operations there are at least, the lock's own among them.
    expect(held).toBeGreaterThanOrEqual(4);
    expect(rounds).toBeGreaterThan(held);
    expect(awayMs).toBeLessThan(MOST_AWAY_MS);
    expect(alive).toBe(true);
    expect(code).toBe(0);
  },
  40_000,
);
