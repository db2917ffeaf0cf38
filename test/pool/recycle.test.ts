import { type PoolSpec, pool } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";

const filename = new URL("./fixtures/work.js", import.meta.url);

async function start(options: Partial<PoolSpec>) {
  const system = await testSystem();
  const lost: unknown[] = [];
  system.on("pool_thread_lost", (event) => lost.push(event));
  const ref = await system.startChild(
    pool({ id: "work", filename, minThreads: 1, maxThreads: 1, ...options } as PoolSpec),
  );
  return { system, ref, lost };
}

describe("a thread is replaced between two tasks", () => {
  // Promise: recycle-no-crash
  test("after as many tasks as recycle says, and no task notices", async () => {
    const { ref, lost } = await start({ recycle: { afterTasks: 5 } });
    const threads = await Promise.all(Array.from({ length: 23 }, () => ref.run(undefined, { name: "where" })));
    expect([...countsOf(threads).values()]).toEqual([5, 5, 5, 5, 3]);
    expect(ref.stats()).toMatchObject({ completed: 23, failed: 0, threadsLost: 0, threadsRecycled: 4, restarts: 0 });
    expect(lost).toEqual([]);
  });

  test("when it is as old as recycle says, also without a task", async () => {
    const { ref } = await start({ recycle: { afterMs: 50 } });
    const before = await ref.run(undefined, { name: "where" });
    // Threads before that one may have been replaced already.
    const { threadsRecycled } = ref.stats();
    await eventually(() => ref.stats().threadsRecycled > threadsRecycled);
    expect(await ref.run(undefined, { name: "where" })).not.toBe(before);
  });

  test("when it keeps more memory than recycle says", async () => {
    const { ref, lost } = await start({ recycle: { overMb: 40 } });
    const first = await ref.run(1, { name: "keepMb" });
    expect(await ref.run(1, { name: "keepMb" })).toBe(first);
    expect(await ref.run(50, { name: "keepMb" })).toBe(first);
    expect(await ref.run(1, { name: "keepMb" })).not.toBe(first);
    const { memory, threadsRecycled, threadsLost } = ref.stats();
    expect({ threadsRecycled, threadsLost, lost }).toEqual({ threadsRecycled: 1, threadsLost: 0, lost: [] });
    expect(memory.maxMb).toBeGreaterThan(45);
  });

  test("by its own exit, so that its exit handlers run", async () => {
    const { ref } = await start({ recycle: { afterTasks: 1 } });
    const word = new Int32Array(new SharedArrayBuffer(4));
    await ref.run(word, { name: "countExits" });
    await eventually(() => Atomics.load(word, 0) === 1);
    expect(await ref.run(1)).toBe(2);
  });

  test("one after the other, and never while it runs a task", async () => {
    const { ref, lost } = await start({
      minThreads: 3,
      maxThreads: 3,
      concurrentTasksPerWorker: 4,
      recycle: { afterTasks: 7 },
    });
    const results = await Promise.all(Array.from({ length: 300 }, (_, ms) => ref.run(ms % 3, { name: "wait" })));
    expect(results).toEqual(Array.from({ length: 300 }, (_, ms) => ms % 3));
    const { threadsRecycled, threadsLost, failed, completed } = ref.stats();
    expect({ threadsLost, failed, completed, lost }).toEqual({ threadsLost: 0, failed: 0, completed: 300, lost: [] });
    expect(threadsRecycled).toBeGreaterThan(3);
  });

  test("where the pool keeps no thread without a task", async () => {
    const { ref } = await start({ minThreads: 0, recycle: { afterTasks: 1 } });
    const threads = await Promise.all(Array.from({ length: 5 }, () => ref.run(undefined, { name: "where" })));
    expect(new Set(threads).size).toBe(5);
  });
});

test("the stats of a pool say how long its functions took and what memory they added", async () => {
  const { ref } = await start({});
  await ref.run(30, { name: "wait" });
  await ref.run(20, { name: "keepMb" });
  await ref.run("E_LUCK", { name: "fail" }).catch(() => {});
  const { function: took, memory } = ref.stats();
  expect(took.count).toBe(3);
  expect(took.maxMs).toBeGreaterThanOrEqual(29);
  expect(memory.maxMb).toBeGreaterThan(15);
});

test("a spec with a recycle that makes no sense is refused", async () => {
  await expect(start({ recycle: { afterTasks: 0 } })).rejects.toMatchObject({ field: "recycle.afterTasks" });
  await expect(start({ recycle: { afterTask: 5 } as never })).rejects.toMatchObject({
    message: expect.stringContaining('did you mean "afterTasks"?'),
  });
});

/** How many there are of each, in the order of the first. */
function countsOf(list: readonly unknown[]): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
