import { expect, test } from "vitest";
import { runProgram } from "../guard/program.js";
import { eventually } from "../support/eventually.js";
import { ofPart } from "../support/part.js";
import { testSystem } from "../support/system.js";
import type Flood from "./fixtures/flood.actor.js";

/** Main is away for tens of ms when a thread starts on a busy machine. */
const MOST_AWAY_MS = 2000;

const SOME = [
  ["sends to another", "send"],
  ["sends to a mailbox that drops its oldest", "drop_oldest"],
];

test.each(ofPart(SOME, SOME, [...SOME, ["enters the names of its methods", "names"]]))(
  // Promise: main-goes-thread-stands
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

// Promise: main-hears-exit-although
test("main hears of an exit although another actor tells it something without end", async () => {
  const system = await testSystem({ intensity: 10 });
  const actor = new URL("./fixtures/flood.actor.js", import.meta.url);
  const caps = { heapCapMb: 1000, offHeapCapMb: 4000 };
  const flood = await system.startChild<typeof Flood>({ id: "flood", actor, ...caps });
  const other = await system.startChild<typeof Flood>({ id: "other", actor });
  const words = new Int32Array(new SharedArrayBuffer(8));
  const flooded = flood.with({ timeoutMs: 60_000 }).call("flood", words);
  await eventually(() => system.stats(flood).handling !== null);
  await expect(other.call("crash")).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
  expect(words[1]).toBe(0);
  Atomics.store(words, 0, 1);
  await flooded;
}, 60_000);
