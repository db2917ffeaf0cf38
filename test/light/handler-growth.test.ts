import { expect, test } from "vitest";
import { HandlerGrowth } from "#runtime/partitions/handler-growth.js";

const CAPS = { heapCapMb: 64, offHeapCapMb: 32 };

function afterSamples(...samples: [handler: number | undefined, heapMb: number, offHeapMb?: number][]): boolean {
  const growth = new HandlerGrowth();
  for (const [handler, heapMb, offHeapMb = 0] of samples) growth.sampled(handler, { heapMb, offHeapMb }, CAPS);
  return growth.isMuch;
}

test("one handler during which a thread has grown by much has filled it", () => {
  expect(afterSamples([1, 50], [1, 59])).toBe(true);
  expect(afterSamples([1, 50, 20], [1, 50, 25])).toBe(true);
  // What was collected meanwhile it has added again.
  expect(afterSamples([1, 60], [1, 50], [1, 60])).toBe(true);
});

test("a handler that ran for long while nothing was added, and many that added little each, have not", () => {
  expect(afterSamples([1, 60], [1, 61], [1, 60], [1, 62])).toBe(false);
  expect(afterSamples([1, 40], [2, 50], [3, 60])).toBe(false);
  expect(afterSamples([undefined, 40], [undefined, 60])).toBe(false);
  expect(afterSamples([1, 40], [1, 60], [2, 61])).toBe(false);
});

test("nothing of an ended thread is left", () => {
  const growth = new HandlerGrowth();
  for (const heapMb of [40, 60]) growth.sampled(1, { heapMb, offHeapMb: 0 }, CAPS);
  growth.forget();
  expect(growth.isMuch).toBe(false);
  growth.sampled(1, { heapMb: 70, offHeapMb: 0 }, CAPS);
  expect(growth.isMuch).toBe(false);
});
