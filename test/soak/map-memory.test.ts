import { pool } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type double from "../pool/fixtures/work.js";
import { testSystem } from "../support/system.js";

const filename = new URL("../pool/fixtures/work.js", import.meta.url);
const ITEMS = 1_000_000;
const CONCURRENCY = 64;

// Promise: map-flat-memory
test("map has flat memory over a source of a million items", { timeout: 240_000 }, async () => {
  const system = await testSystem();
  const ref = await system.startChild(pool<typeof double>({ id: "work", filename, maxThreads: 2 }));
  let taken = 0;
  async function* numbers() {
    while (taken < ITEMS) yield taken++;
  }
  let read = 0;
  let most = 0;
  const heap: number[] = [];
  for await (const result of ref.map(numbers(), { concurrency: CONCURRENCY })) {
    if (result !== 2 * read) throw new Error(`result ${read} is ${result}`);
    most = Math.max(most, taken - ++read);
    if (read % 1_000 === 0) heap.push(process.memoryUsage().heapUsed);
  }
  expect(read).toBe(ITEMS);
  expect(most).toBeLessThanOrEqual(CONCURRENCY);
  // What is kept shows after a collection: the least of the second half beside the least of the first.
  const least = (list: number[]) => Math.min(...list) / 2 ** 20;
  expect(least(heap.slice(heap.length / 2)) - least(heap.slice(0, heap.length / 2))).toBeLessThan(8);
});
