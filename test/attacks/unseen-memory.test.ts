import { expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { testSystem } from "../support/system.js";
import type Garbage from "./fixtures/garbage.actor.js";
import type { Kind } from "./fixtures/garbage.actor.js";

const actor = new URL("./fixtures/garbage.actor.js", import.meta.url);
const CHURN_MS = ofPart(700, 700, 1500);

async function garbageActor(spec: object = {}) {
  const system = await testSystem({ intensity: 100 });
  const ref = await system.startChild<typeof Garbage>({ id: "garbage", actor, handlerTimeoutMs: Infinity, ...spec });
  const killed: string[] = [];
  system.on("guard_killed", ({ reason }) => killed.push(reason.kind));
  return { actor: ref.with({ timeoutMs: 60_000 }), killed };
}

const KINDS: readonly { kind: Kind; what: string; keep: number }[] = [
  { kind: "shared", what: "shared buffers of a mebibyte", keep: 40 },
  { kind: "sharedSmall", what: "shared buffers of 64 bytes", keep: 1000 },
  { kind: "sharedGrown", what: "shared buffers that have grown", keep: 40 },
  { kind: "arrayBuffer", what: "ArrayBuffers", keep: 40 },
  { kind: "buffer", what: "Buffers", keep: 40 },
  { kind: "wasm", what: "wasm memories", keep: 10 },
  { kind: "wasmShared", what: "shared wasm memories", keep: 10 },
  { kind: "external", what: "external strings", keep: 10 },
];

// Promise: memory-outside-heap-counts
test.each(KINDS)("an actor that makes $what and drops them is left alone", async ({ kind, keep }) => {
  const { actor, killed } = await garbageActor();
  const { made, collections } = await actor.call("churn", kind, CHURN_MS, keep);
  expect(killed).toEqual([]);
  expect(await actor.call("ping")).toBe(1);
  // Collecting must not become most of what it does.
  expect(collections).toBeLessThan(made / 3);
  expect(made).toBeGreaterThan(keep);
  await actor.call("churnInTurns", kind, 200);
  expect(killed).toEqual([]);
});

test("where no collection can be asked for, an actor that drops shared buffers is left alone", async () => {
  const { actor, killed } = await garbageActor({ permissions: {} });
  const { made } = await actor.call("churn", "shared", CHURN_MS, 20);
  expect(made).toBeGreaterThan(100);
  expect(killed).toEqual([]);
});

test.each(KINDS.filter(({ kind }) => kind !== "sharedSmall"))(
  // Promise: memory-outside-heap-counts
  "an actor that keeps $what is ended",
  async ({ kind }) => {
    const { actor, killed } = await garbageActor();
    await expect(actor.call("leak", kind)).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
    expect(killed).toEqual(["off_heap_cap_exceeded"]);
  },
);
