import type { ActorRef, SystemOptions } from "@mini-otp/runtime";
import { startTestSystem, virtualClock } from "@mini-otp/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import type Ending from "../../fixtures/ending.actor.js";
import { eventually } from "../../support/eventually.js";
import { fixture } from "../../support/system.js";

/** One actor in a thread, under a supervisor whose time stands still. */
async function stillSystem(backoff: object, options: SystemOptions = {}) {
  const clock = virtualClock();
  const system = await startTestSystem({ clock, ...options });
  onTestFinished(async () => void (await system.stop({ timeoutMs: 1_000 })));
  const a: ActorRef<typeof Ending> = await system.startChild<typeof Ending>({
    id: "a",
    actor: fixture("ending"),
    backoff,
  });
  const restarts: { attempt: number; delayMs: number }[] = [];
  system.on("actor_restarted", ({ attempt, delayMs }) => restarts.push({ attempt, delayMs }));
  const crash = async () => {
    await a.cast("crash", "boom");
    await eventually(() => clock.pendingTimers === 1);
  };
  /** A reply can be here before the news of the start that made it possible. */
  const restarted = (times: number) => eventually(() => restarts.length === times);
  return { clock, system, a, restarts, crash, restarted };
}

// Promise: n-th-delay-min
test("a restart waits for its backoff delay, and the next one longer", async () => {
  const { clock, system, restarts, crash, restarted } = await stillSystem({ minMs: 1_000, maxMs: 60_000, factor: 3 });
  for (const [i, delayMs] of [1_000, 3_000].entries()) {
    await crash();
    await clock.advance(delayMs - 1);
    expect(system.whichChildren()).toMatchObject([{ id: "a", state: "restarting" }]);
    await clock.advance(1);
    await restarted(i + 1);
  }
  expect(restarts).toEqual([
    { attempt: 1, delayMs: 1_000 },
    { attempt: 2, delayMs: 3_000 },
  ]);
});

// Promise: healthy-life-resetafterms-begins
test("a healthy life makes the next restart quick again", async () => {
  const { clock, restarts, crash, restarted } = await stillSystem({ minMs: 1_000, maxMs: 9_000, resetAfterMs: 20_000 });
  for (const [i, lifeMs] of [20_000, 0].entries()) {
    await crash();
    await clock.advance(1_000);
    await restarted(i + 1);
    await clock.advance(lifeMs);
  }
  expect(restarts.map(({ delayMs }) => delayMs)).toEqual([1_000, 1_000]);
});

test("a message sent while the restart waits is handled by the next incarnation", async () => {
  const { clock, a, crash } = await stillSystem({ minMs: 1_000 });
  await crash();
  const answer = a.call("incarnation");
  await clock.advance(1_000);
  expect(await answer).toBe(2);
});

test("a restart that waits is ended by terminateChild, and by stopping the system", async () => {
  const { clock, system, crash } = await stillSystem({ minMs: 1_000 });
  await crash();
  await system.terminateChild("a");
  expect(clock.pendingTimers).toBe(0);
  await system.restartChild("a");
  await crash();
  await system.stop();
  expect(clock.pendingTimers).toBe(0);
});

test("[multiple_restarts] failures further apart than the period never reach the limit", async () => {
  const { clock, system, a } = await stillSystem({}, { intensity: 1, periodMs: 5_000 });
  for (let crashes = 1; crashes <= 3; crashes++) {
    await a.call("crash", "boom").catch(() => {});
    expect(await a.call("incarnation")).toBe(crashes + 1);
    await clock.advance(5_001);
  }
  await a.call("crash", "one").catch(() => {});
  await a.call("incarnation");
  await clock.advance(5_000);
  await a.call("crash", "two").catch(() => {});
  expect(await system.terminated).toMatchObject({ detail: { kind: "reached_max_restart_intensity" } });
});
