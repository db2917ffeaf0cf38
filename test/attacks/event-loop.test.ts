import * as Comlink from "comlink";
import { expect, test } from "vitest";
import type Remote from "../fixtures/remote.actor.js";
import { fixture, testSystem } from "../support/system.js";
import type OpenedAtLoad from "./fixtures/opened-at-load.actor.js";

const CALLS = 41;
/** An idle actor holds its thread for 10 ms; what waits behind that takes longer than this every time. */
const LESS_THAN_HELD_MS = 8;

async function medianMs(measure: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < CALLS; i++) times.push(await measure());
  return times.sort((a, b) => a - b)[CALLS >> 1];
}

// Promise: actor-waits-event-loop
test("an actor that waits for a callback of its caller does not hold its thread meanwhile", async () => {
  const system = await testSystem();
  const ref = await system.startChild<typeof Remote>({ id: "remote", actor: fixture("remote") });
  const remote = ref.proxy();
  const median = await medianMs(async () => {
    const startedMs = performance.now();
    expect(
      await remote.count(
        1,
        Comlink.proxy((step: number) => step),
      ),
    ).toBe(1);
    return performance.now() - startedMs;
  });
  expect(median).toBeLessThan(LESS_THAN_HELD_MS);
});

// Promise: actor-waits-event-loop
test("what an actor's module opened while it was loaded brings its answers as what was opened later does", async () => {
  const system = await testSystem();
  const actor = new URL("./fixtures/opened-at-load.actor.js", import.meta.url);
  const ref = await system.startChild<typeof OpenedAtLoad>({ id: "opened", actor });
  expect(await medianMs(() => ref.call("roundTrip"))).toBeLessThan(LESS_THAN_HELD_MS);
});
