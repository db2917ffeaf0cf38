import { describe, expect, test } from "vitest";
import type Log from "../fixtures/log.actor.js";
import type Timing from "../fixtures/timing.actor.js";
import { actorsIn, KINDS, type Mode } from "../support/modes.js";
import { fixture } from "../support/system.js";

async function timing(mode: Mode) {
  const actors = await actorsIn(mode);
  const log = await actors.system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
  const actor = await actors.start<typeof Timing>({ id: "timing", actor: fixture("timing"), args: { log } });
  return { ...actors, log, actor };
}

describe.each(KINDS)("%s", (mode) => {
  // Promise: timers-fire-actor-sleeps
  test("sendAfter delivers after its delay while the actor is parked, in the order of the delays", async () => {
    const { log, actor } = await timing(mode);
    await actor.call("after", [60, 20, 40]);
    const fired = (await log.call("untilCount", 3)) as { delayMs: number; tookMs: number }[];
    expect(fired.map(({ delayMs }) => delayMs)).toEqual([20, 40, 60]);
    for (const { delayMs, tookMs } of fired) expect(tookMs).toBeGreaterThanOrEqual(delayMs - 1);
  });

  // Promise: timers-fire-actor-sleeps
  test("sendAfter delivers under load", async () => {
    const { log, actor } = await timing(mode);
    await actor.call("after", [20]);
    let fired = false;
    const done = log.call("untilCount", 1).then(() => {
      fired = true;
    });
    while (!fired) await actor.call("work");
    await done;
  });

  test("sendInterval delivers again and again until it is cancelled", async () => {
    const { log, actor } = await timing(mode);
    const timer = await actor.call("every", 5);
    await log.call("untilCount", 4);
    expect(await actor.call("cancel", timer)).toBe(true);
    expect(await actor.call("cancel", timer)).toBe(false);
    const count = ((await log.call("entries")) as unknown[]).length;
    await actor.call("after", [50]);
    expect(await log.call("untilCount", count + 1)).toHaveLength(count + 1);
  });

  test("a timer that is cancelled in time does not fire", async () => {
    const { log, actor } = await timing(mode);
    const [timer] = await actor.call("after", [30]);
    expect(await actor.call("cancel", timer)).toBe(true);
    await actor.call("after", [60]);
    expect(await log.call("untilCount", 1)).toMatchObject([{ delayMs: 60 }]);
  });

  // Promise: init-runs-anything-else
  test("[continue] continueWith runs before any other message", async () => {
    const { log, actor } = await timing(mode);
    await Promise.all([actor.cast("firstThen", "a"), actor.cast("note", "later")]);
    expect(await log.call("untilCount", 3)).toEqual(["first a", "then a", "later"]);
  });

  // Promise: init-runs-anything-else
  test("[continue] continueWith from init runs before what was sent during init", async () => {
    const { log, start } = await timing(mode);
    const actor = await start<typeof Timing>({
      id: "eager",
      actor: fixture("timing"),
      args: { log, eager: true },
    });
    await actor.cast("note", "sent");
    expect(await log.call("untilCount", 2)).toEqual(["continued", "sent"]);
  });

  test("sendAfter and continueWith to a method the actor does not have throw ERR_UNKNOWN_METHOD", async () => {
    const { actor } = await timing(mode);
    expect(await actor.call("misspell")).toEqual(["ERR_UNKNOWN_METHOD", "ERR_UNKNOWN_METHOD"]);
  });

  // Promise: message-time-microtasks-run
  test("microtasks of one message run before the next message", async () => {
    const { log, actor } = await timing(mode);
    await Promise.all([actor.cast("microtask"), actor.cast("note", "next")]);
    expect(await log.call("untilCount", 2)).toEqual(["microtask", "next"]);
  });

  // Promise: message-time-microtasks-run
  test("an actor that runs an HTTP server answers requests while no message comes, and messages while it serves", async () => {
    const { actor } = await timing(mode);
    const port = await actor.call("serve");
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toBe("1");
    expect(await actor.call("work")).toBe("worked");
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("2");
  });

  // Promise: signal-handler-whose-call
  test("an abort reaches the handler's signal", async () => {
    const { log, actor } = await timing(mode);
    const abort = new AbortController();
    const call = actor.with({ signal: abort.signal }).call("untilAborted");
    await log.call("untilCount", 1);
    abort.abort();
    expect(await call.catch((e: unknown) => e)).toMatchObject({ code: "ERR_CALL_ABORTED" });
    expect(await log.call("untilCount", 2)).toEqual(["waiting", "aborted"]);
  });

  // Promise: signal-handler-whose-call
  test("a handler that asks for its signal after the abort finds it aborted, and the next one does not", async () => {
    const { log, actor } = await timing(mode);
    const abort = new AbortController();
    const call = actor.with({ signal: abort.signal }).call("looksLate");
    await log.call("untilCount", 1);
    abort.abort();
    expect(await call.catch((e: unknown) => e)).toMatchObject({ code: "ERR_CALL_ABORTED" });
    await log.cast("add", "given up");
    expect(await log.call("untilCount", 3)).toEqual(["waiting", "given up", "aborted"]);
    await actor.call("looksLate");
    expect(await log.call("untilCount", 5)).toEqual(["waiting", "given up", "aborted", "waiting", "not aborted"]);
  });

  // Promise: call-given-up-waits
  test("a call that is aborted while it waits in the mailbox is not handled", async () => {
    const { system, log, actor } = await timing(mode);
    await system.suspend(actor);
    const abort = new AbortController();
    const call = actor.with({ signal: abort.signal }).call("note", "given up");
    abort.abort();
    expect(await call.catch((e: unknown) => e)).toMatchObject({ code: "ERR_CALL_ABORTED" });
    await actor.cast("note", "kept");
    await system.resume(actor);
    expect(await log.call("untilCount", 1)).toEqual(["kept"]);
  });
});
