import { describe, expect, test } from "vitest";
import { memoryActor, silent } from "./memory-actor.js";

/** Of passing the cap: the number. */
const KILLED_WITHIN_MS = 500;
/** A guard that is late is so whenever it runs; that the machine stops for a while happens in one run and not in the next. */
const RUNS = 2;

describe("the guard", () => {
  test("leaves an actor alone that drops buffers as fast as it can", { timeout: 60_000 }, async () => {
    const { actor, killed } = await memoryActor({ offHeapCapMb: 64 });
    expect(await actor.call("churnBuffers", 50, 3000)).toBeGreaterThan(0);
    expect(killed).toEqual([]);
  });
});

describe.sequential("the guard ends an actor that holds 130 % of its cap", () => {
  test.each([16, 64, 512])("of %i MiB within 500 ms of passing it", { timeout: 60_000 }, async (heapCapMb) => {
    let leastMs = Infinity;
    for (let run = 0; run < RUNS && leastMs >= KILLED_WITHIN_MS; run++) {
      let passedAtMs = Number.NaN;
      const info = (line: { passedAtMs?: number }): void => {
        passedAtMs = line.passedAtMs ?? passedAtMs;
      };
      const { actor, killed } = await memoryActor({ heapCapMb }, { ...silent, info });
      const error = await actor.call("hold", heapCapMb, heapCapMb * 1.3).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "heap_cap_exceeded", heapCapMb } });
      expect(killed).toHaveLength(1);
      expect(await actor.call("ping")).toBe(2);
      // Without the line of when it passed, the run says nothing.
      if (!Number.isNaN(passedAtMs)) leastMs = Math.min(leastMs, killed[0].atMs - passedAtMs);
    }
    expect(leastMs).toBeLessThan(KILLED_WITHIN_MS);
  });
});

describe("the watchdog", () => {
  test("ends a handler that takes longer than it may, naming the method", async () => {
    const { actor, killed } = await memoryActor({ handlerTimeoutMs: 200 });
    const error = await actor.call("spin").catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "unresponsive", method: "spin" } });
    const { reason } = killed[0];
    expect(reason).toMatchObject({ kind: "unresponsive", method: "spin" });
    expect((reason as { afterMs: number }).afterMs).toBeGreaterThanOrEqual(200);
    expect(await actor.call("ping")).toBe(2);
  });

  test("ends an async handler that is never done", async () => {
    const { actor } = await memoryActor({ handlerTimeoutMs: 200 });
    const error = await actor.call("waitFor", 60_000).catch((e: unknown) => e);
    expect(error).toMatchObject({ reason: { kind: "unresponsive", method: "waitFor" } });
  });

  test("leaves alone what is done in time, however often", async () => {
    const { actor, killed } = await memoryActor({ handlerTimeoutMs: 200 });
    for (let i = 0; i < 10; i++) await actor.call("waitFor", 50);
    expect(await actor.call("ping")).toBe(1);
    expect(killed).toEqual([]);
  });

  test("is off where handlerTimeoutMs is Infinity", async () => {
    const { actor, killed } = await memoryActor({ handlerTimeoutMs: Infinity });
    await actor.call("waitFor", 400);
    expect(killed).toEqual([]);
  });
});
