import { expect, test } from "vitest";
import { testSystem } from "../support/system.js";
import type Ticks from "./fixtures/ticks.actor.js";

/** An interrupt inside Node's tick queue that adds a tick leaves a queue that is never run again. */
test("a heap snapshot interrupts a thread without adding to its tick queue", async () => {
  const system = await testSystem();
  const actor = new URL("./fixtures/ticks.actor.js", import.meta.url);
  const ref = await system.startChild<typeof Ticks>({ id: "ticks", actor });
  const snapshot = await system.heapSnapshot(ref);
  const chunks = await snapshot.toArray();
  expect(JSON.parse(Buffer.concat(chunks).toString())).toHaveProperty("snapshot.meta");
  expect(await ref.call("ticks")).toBe(0);
});
