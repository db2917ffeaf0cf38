import { getEventListeners } from "node:events";
import type { SystemEvents } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import { Events } from "#runtime/reporting/events.js";
import type Counter from "../fixtures/counter.actor.js";
import { recordingLogger } from "../support/recording-logger.js";
import { fixture, testSystem } from "../support/system.js";

async function counterSystem() {
  const system = await testSystem();
  const counter = await system.startChild<typeof Counter>({ id: "counter", actor: fixture("counter") });
  return { system, counter };
}

const event = (at: number): SystemEvents["guard_killed"] => ({
  event: "guard_killed",
  id: "root/a",
  at,
  reason: { kind: "killed" },
});
const stopped = (at: number): SystemEvents["system_stopped"] => ({
  event: "system_stopped",
  id: "root",
  at,
  reason: { kind: "shutdown" },
});

describe("the stream of a system's events", () => {
  // Promise: events-tells-events-order
  test("ends after the system has stopped, and says so last", async () => {
    const { system } = await counterSystem();
    const events = system.events();
    await system.stop();
    const told: string[] = [];
    for await (const { event } of events) told.push(event);
    expect(told).toEqual(["actor_exited", "system_stopped"]);
  });

  test("ends for a reader who waits when the system stops", async () => {
    const { system } = await counterSystem();
    const told: string[] = [];
    const read = (async () => {
      for await (const { event } of system.events()) told.push(event);
    })();
    await system.stop();
    await read;
    expect(told.at(-1)).toBe("system_stopped");
  });

  // Promise: events-tells-events-order
  test("ends at once when the system has stopped already", async () => {
    const { system } = await counterSystem();
    await system.stop();
    for await (const event of system.events()) expect.unreachable(event.event);
    expect(await system.events().next()).toEqual({ done: true, value: undefined });
  });

  // Promise: events-tells-events-order
  test("tells what happens from the call on, before the first next", async () => {
    const { system, counter } = await counterSystem();
    const events = system.events();
    const restarted = new Promise((resolve) => system.on("actor_restarted", resolve));
    await counter.cast("crash", "x");
    await restarted;
    const told = [await events.next(), await events.next(), await events.next(), await events.next()];
    expect(told.map(({ value }) => value?.event)).toEqual([
      "actor_exited",
      "dead_letter",
      "actor_started",
      "actor_restarted",
    ]);
  });

  // Promise: most-1-024-events
  test("keeps 1 024 events for a reader who is slow, and counts those that are missing", async () => {
    const events = new Events(recordingLogger().logger);
    const stream = events.stream();
    for (let i = 0; i < 3000; i++) events.emit(event(i));
    const { value: first } = await stream.next();
    expect(first).toMatchObject({ at: 0, missed: 0 });
    events.emit(event(3000));
    events.emit(event(3001));
    const told: { at: number; missed: number }[] = [];
    for (let i = 0; i < 1024; i++) {
      const { value } = await stream.next();
      if (value) told.push(value);
    }
    expect(told.slice(0, 1023).map(({ at, missed }) => [at, missed])).toEqual(
      Array.from({ length: 1023 }, (_, i) => [i + 1, 0]),
    );
    expect(told.at(-1)).toMatchObject({ at: 3000, missed: 1976 });
    events.emit(event(3002));
    expect((await stream.next()).value).toMatchObject({ at: 3002, missed: 1 });
  });

  // Promise: most-1-024-events
  test("has room for the last event, which counts what is missing", async () => {
    const events = new Events(recordingLogger().logger);
    const stream = events.stream();
    for (let i = 0; i < 2000; i++) events.emit(event(i));
    events.emit(stopped(2000));
    let last: unknown;
    for await (const told of stream) last = told;
    expect(last).toMatchObject({ event: "system_stopped", missed: 976 });
  });

  test("gives each next that waits an event of its own, in order, and ends all of them", async () => {
    const events = new Events(recordingLogger().logger);
    const stream = events.stream();
    const waiting = [stream.next(), stream.next(), stream.next(), stream.next()];
    events.emit(event(1));
    events.emit(event(2));
    events.emit(stopped(3));
    const told = await Promise.all(waiting);
    expect(told.map(({ done, value }) => [done, value?.at])).toEqual([
      [false, 1],
      [false, 2],
      [false, 3],
      [true, undefined],
    ]);
  });

  test.each(["break", "return", "throw", "dispose", "abort"] as const)(
    "is left by %s, and nothing is kept for it",
    async (how) => {
      const events = new Events(recordingLogger().logger);
      const abort = new AbortController();
      const stream = events.stream(abort.signal);
      const waiting = stream.next();
      events.emit(event(1));
      events.emit(event(2));
      await waiting;
      if (how === "break") for await (const _ of stream) break;
      else if (how === "return") expect(await stream.return()).toEqual({ done: true, value: undefined });
      else if (how === "throw") await expect(stream.throw(new RangeError("enough"))).rejects.toThrow("enough");
      else if (how === "dispose") await stream[Symbol.asyncDispose]();
      else abort.abort();
      // What was told before an abort can still be taken.
      if (how === "abort") expect((await stream.next()).value).toMatchObject({ at: 2 });
      events.emit(event(3));
      expect(await stream.next()).toEqual({ done: true, value: undefined });
      expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    },
  );

  test("ends a next that waits when it is left or aborted", async () => {
    const events = new Events(recordingLogger().logger);
    const abort = new AbortController();
    const [left, aborted] = [events.stream(), events.stream(abort.signal)];
    const waiting = [left.next(), left.next(), aborted.next()];
    await left.return();
    abort.abort();
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 3 }, () => ({ done: true, value: undefined })));
  });

  test("is over from the start with a signal that is aborted already", async () => {
    const { system } = await counterSystem();
    for await (const event of system.events({ signal: AbortSignal.abort() })) expect.unreachable(event.event);
  });

  // Promise: events-tells-events-order
  test("keeps the order when a listener makes the next event happen", async () => {
    const events = new Events(recordingLogger().logger);
    const stream = events.stream();
    events.on("guard_killed", ({ at }) => {
      if (at === 1) events.emit(stopped(2));
    });
    events.emit(event(1));
    const told: number[] = [];
    for await (const { at } of stream) told.push(at);
    expect(told).toEqual([1, 2]);
  });
});

describe("listeners of a system's events", () => {
  // Promise: listener-taken-off-called
  test("that throw are logged, and the others hear of it all the same", () => {
    const { logger, lines } = recordingLogger();
    const events = new Events(logger);
    const heard: number[] = [];
    events.on("guard_killed", () => {
      throw new Error("not mine");
    });
    events.on("guard_killed", ({ at }) => heard.push(at));
    events.emit(event(1));
    expect(heard).toEqual([1]);
    expect(JSON.stringify(lines)).toContain("a listener for guard_killed threw");
  });

  // Promise: listener-taken-off-called
  test("may take themselves and others off, and add more, while they are told", () => {
    const events = new Events(recordingLogger().logger);
    const heard: string[] = [];
    const offFirst = events.on("guard_killed", () => {
      heard.push("first");
      offFirst();
      offSecond();
      events.on("guard_killed", () => heard.push("new"));
    });
    const offSecond = events.on("guard_killed", () => heard.push("second"));
    events.on("guard_killed", () => heard.push("third"));
    events.emit(event(1));
    expect(heard).toEqual(["first", "third"]);
    events.emit(event(2));
    expect(heard).toEqual(["first", "third", "third", "new"]);
  });

  test("that are added twice are told twice, and each is taken off once", () => {
    const events = new Events(recordingLogger().logger);
    let heard = 0;
    const listener = () => void heard++;
    const off = events.on("guard_killed", listener);
    events.on("guard_killed", listener);
    events.emit(event(1));
    off();
    off();
    events.emit(event(2));
    expect(heard).toBe(3);
  });
});
