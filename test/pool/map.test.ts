import { type PoolSpec, pool } from "@mini-otp/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import type User from "./fixtures/user.actor.js";
import type double from "./fixtures/work.js";

const filename = new URL("./fixtures/work.js", import.meta.url);

async function start(options: Partial<PoolSpec> = {}) {
  const system = await testSystem();
  const spec = { id: "work", filename, minThreads: 2, maxThreads: 2, ...options };
  const ref = await system.startChild(pool<typeof double>(spec));
  return { system, ref };
}

/** Numbers from 0 on, which says how many have been taken, and whether it was closed. */
function numbers(count = Infinity) {
  const state = { taken: 0, closed: false };
  async function* produce() {
    try {
      while (state.taken < count) yield state.taken++;
    } finally {
      state.closed = true;
    }
  }
  return { state, source: produce() };
}

function newGate() {
  const word = new Int32Array(new SharedArrayBuffer(8));
  onTestFinished(() => void Atomics.store(word, 0, 1));
  return { word, open: () => void Atomics.store(word, 0, 1), arrived: () => Atomics.load(word, 1) };
}

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

describe("map", () => {
  test.each([
    ["a list", () => [0, 1, 2, 3, 4, 5]],
    ["a generator", () => [0, 1, 2, 3, 4, 5].values()],
    ["a list of promises", () => [0, 1, 2, 3, 4, 5].map((n) => Promise.resolve(n))],
    ["an async generator", () => numbers(6).source],
  ])("gives the results of %s in the order of its items", async (_what, source) => {
    const { ref } = await start();
    const results: number[] = await all(ref.map(source()));
    expect(results).toEqual([0, 2, 4, 6, 8, 10]);
    expect(await all(ref.map([]))).toEqual([]);
  });

  // Promise: map-order
  test("keeps the order although a later task ends first, and gives it up for results as they come", async () => {
    const { ref } = await start();
    for (const ordered of [true, false]) {
      const gate = newGate();
      const tasks = [gate.word, 0].map((task) => task as never);
      const results = ref.map(tasks, { name: "echoWhenOpen", ordered });
      const first = results.next();
      await eventually(() => gate.arrived() === 1);
      if (ordered) {
        await eventually(() => ref.stats().completed === 1);
        gate.open();
        expect(await first).toEqual({ done: false, value: "opened" });
        expect(await results.next()).toEqual({ done: false, value: 0 });
      } else {
        expect(await first).toEqual({ done: false, value: 0 });
        gate.open();
        expect(await results.next()).toEqual({ done: false, value: "opened" });
      }
      expect(await results.next()).toEqual({ done: true, value: undefined });
    }
  });

  // Promise: map-back-pressure
  test("begins with the first read, and takes no more from the source than are under way or unread", async () => {
    const { ref } = await start();
    const { state, source } = numbers();
    const results = ref.map(source, { concurrency: 5 });
    expect(state.taken).toBe(0);
    for (let read = 0; read < 100; read++) {
      expect(await results.next()).toEqual({ done: false, value: 2 * read });
      expect(state.taken).toBeLessThanOrEqual(read + 1 + 5);
    }
    // However long the reader does nothing.
    await eventually(() => state.taken === 105 && ref.stats().running === 0);
    await ref.run(1);
    expect(state.taken).toBe(105);
    await results.return?.();
    expect(state.closed).toBe(true);
  });

  test("has as many tasks under way as the pool runs at a time, unless it is told", async () => {
    const { ref } = await start({ maxThreads: 3 });
    const gate = newGate();
    const tasks = Array.from({ length: 9 }, () => gate.word as never);
    const reading = all(ref.map(tasks, { name: "gate" }));
    await eventually(() => gate.arrived() === 3);
    expect(ref.stats()).toMatchObject({ running: 3, queueLength: 0 });
    gate.open();
    expect((await reading).length).toBe(9);
  });

  // Promise: map-first-failure
  test("ends with the first failure, and ends the tasks beside it and the source", async () => {
    const { ref } = await start();
    const gate = newGate();
    const { state, source } = numbers();
    async function* tasks() {
      for await (const n of source) yield (n === 0 ? gate.word : n) as never;
    }
    const results = ref.map(tasks(), { name: "gateOrFail", concurrency: 2 });
    await expect(results.next()).rejects.toMatchObject({ name: "RangeError", message: "no such luck" });
    expect(state.closed).toBe(true);
    expect(await results.next()).toEqual({ done: true, value: undefined });
    await eventually(() => ref.stats().running === 0);
    expect(ref.stats()).toMatchObject({ failed: 1, aborted: 1, threadsLost: 0 });
    expect(await ref.run(1)).toBe(2);
  });

  test("ends with what the source throws", async () => {
    const { ref } = await start();
    function* broken() {
      yield 1;
      throw new SyntaxError("no more");
    }
    const results = ref.map(broken(), { concurrency: 1 });
    expect(await results.next()).toEqual({ done: false, value: 2 });
    await expect(results.next()).rejects.toThrow(new SyntaxError("no more"));
  });

  test("ends when its signal is aborted, and when the reader leaves", async () => {
    const { ref } = await start();
    const gate = newGate();
    const stop = new AbortController();
    const { state, source } = numbers();
    const tasks = async function* () {
      for await (const _ of source) yield gate.word as never;
    };
    const aborted = ref.map(tasks(), { name: "gate", signal: stop.signal });
    const read = aborted.next();
    await eventually(() => gate.arrived() === 2);
    stop.abort("enough");
    await expect(read).rejects.toMatchObject({ code: "ERR_CALL_ABORTED", cause: "enough" });
    expect(state.closed).toBe(true);
    await expect(ref.map([1], { signal: stop.signal }).next()).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });

    const left = numbers();
    for await (const result of ref.map(left.source)) if (result === 10) break;
    expect(left.state.closed).toBe(true);
    const waiting = ref.map([gate.word as never], { name: "gate" });
    const pending = waiting.next();
    await eventually(() => gate.arrived() === 3);
    expect(await waiting.return?.()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    await eventually(() => ref.stats().running === 0);
  });

  test("is not held up by a source that never gives its next item", async () => {
    const { ref } = await start();
    async function* stuck() {
      yield 1;
      await new Promise(() => {});
    }
    const results = ref.map(stuck());
    expect(await results.next()).toEqual({ done: false, value: 2 });
    const pending = results.next();
    await results.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  // Promise: map-full-queue
  test("waits for its turn where the queue is full", async () => {
    const { ref } = await start({ minThreads: 1, maxThreads: 1, maxQueue: 1 });
    const gate = newGate();
    const held = [ref.run(gate.word as never, { name: "gate" }), ref.run(1)];
    await eventually(() => gate.arrived() === 1);
    await expect(ref.run(2)).rejects.toMatchObject({ code: "ERR_MAILBOX_FULL" });
    const reading = all(ref.map([1, 2, 3], { concurrency: 3 }));
    gate.open();
    expect(await reading).toEqual([2, 4, 6]);
    await Promise.all(held);
    expect(ref.stats().rejected).toBe(1);
  });

  test("works from an actor", async () => {
    const { system, ref } = await start();
    const actor = new URL("./fixtures/user.actor.js", import.meta.url);
    const user = await system.startChild<typeof User>({ id: "user", actor });
    expect(await user.call("map", ref, [1, 2, 3, 4], "default")).toEqual([2, 4, 6, 8]);
  });

  test("refuses options that make no sense, and what is not iterable", async () => {
    const { ref } = await start();
    const map = (source: unknown, options: unknown) => () => ref.map(source as never, options as never);
    expect(map([1], { concurrency: 0 })).toThrow(
      "id=root/work map: concurrency=0, must be a whole number from 1 to 65536",
    );
    expect(map([1], { ordred: true })).toThrow(
      'no option ordred; there are: concurrency, ordered, signal, name; did you mean "ordered"?',
    );
    expect(map(1, {})).toThrow("id=root/work map: source=1, must be an object that is iterable, or an async iterable");
    expect(map("abc", {})).toThrow("must be an object that is iterable");
  });
});

// Node delivers what is in a port also after `close`, until it has emptied the port.
test("a result that comes after its task was aborted takes no other task along", async () => {
  const { ref } = await start({ maxThreads: 3 });
  const other = newGate();
  const running = ref.run(other.word as never, { name: "gate" });
  await eventually(() => other.arrived() === 1);
  for (let round = 0; round < 20; round++) {
    for await (const result of ref.map(numbers().source, { concurrency: 4 })) if (result === 40) break;
  }
  other.open();
  expect(await running).toBeGreaterThan(0);
});
