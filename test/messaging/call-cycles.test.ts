import { expect, test } from "vitest";
import type Knot from "../fixtures/knot.actor.js";
import { fixture, testSystem } from "../support/system.js";

async function two(capacity = 1024) {
  const system = await testSystem();
  const start = (id: string) =>
    system.startChild<typeof Knot>({ id, actor: fixture("knot"), mailbox: { capacity, blockTimeoutMs: 60_000 } });
  return { system, a: await start("a"), b: await start("b") };
}

// Promise: actors-wait-other-circle
test("two actors that call each other synchronously get ERR_CALL_CYCLE with the cycle, within a second", async () => {
  const { a, b } = await two();
  await b.call("know", a);
  const before = performance.now();
  // a calls b, which calls a back.
  const outcome = await a.with({ timeoutMs: 20_000 }).call("callThrough", b);
  expect(outcome).toMatchObject({ code: "ERR_CALL_CYCLE", cycle: ["root/a", "root/b", "root/a"] });
  expect(outcome).toMatchObject({ message: expect.stringContaining("root/a → root/b → root/a") });
  expect(performance.now() - before).toBeLessThan(1000);
  expect(await b.call("ping")).toBe("pong");
});

test("two actors that send into each other's full mailbox get ERR_CALL_CYCLE, within a second", async () => {
  const { a, b } = await two(2);
  await Promise.all([a.call("know", b), b.call("know", a)]);
  const before = performance.now();
  const outcomes = await Promise.all([a.call("flood", 100), b.call("flood", 100)]);
  expect(outcomes.filter((outcome) => outcome !== "sent")).toEqual([
    expect.objectContaining({ code: "ERR_CALL_CYCLE" }),
  ]);
  expect(performance.now() - before).toBeLessThan(1500);
});

// Promise: actors-wait-other-circle
test("an actor that waits long for another, which does not wait, is left alone", async () => {
  const { system, a } = await two();
  const gate = await system.startChild({ id: "gate", actor: fixture("gate") });
  const call = a.with({ timeoutMs: 20_000 }).call("waitAt", gate);
  await gate.call("someone");
  // Longer than it takes to find and break a cycle.
  const until = performance.now() + 700;
  while (performance.now() < until) await gate.call("someone");
  await gate.cast("open");
  expect(await call).toBe("through");
});
