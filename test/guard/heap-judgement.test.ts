import { expect, test } from "vitest";
import { judgeCollected, judgeSample, sampleGapMs, UNSUSPECTED } from "#runtime/guard/heap-judgement.js";
import { BARE_THREAD_MB } from "#worker-host/protocol/port/bare-thread.js";

const CAPS = { heapCapMb: 64, offHeapCapMb: 32 };
const heap = (heapMb: number) => ({ heapMb, offHeapMb: 0 });
const PRIMED = { ...UNSUSPECTED, collections: 2 };
const offHeap = (offHeapMb: number) => ({ heapMb: 10, offHeapMb });

test("an actor under its caps is left alone", () => {
  const { state, verdict } = judgeSample(UNSUSPECTED, CAPS, { heapMb: 30, offHeapMb: 31 }, 0, true);
  expect(verdict).toEqual({ kind: "fine" });
  expect(state).toBe(UNSUSPECTED);
});

test("what a bare thread needs is not counted against the actor", () => {
  expect(judgeSample(PRIMED, CAPS, heap(64 + BARE_THREAD_MB), 0, true).verdict.kind).toBe("fine");
});

test("an actor seen over its heap cap is collected before it is judged", () => {
  expect(judgeSample(UNSUSPECTED, CAPS, heap(200), 0, true).verdict).toEqual({ kind: "collect" });
});

test("an actor seen over its off-heap cap is, too", () => {
  expect(judgeSample(UNSUSPECTED, CAPS, offHeap(100), 0, true).verdict).toEqual({ kind: "collect" });
});

test("garbage over the cap is no reason to end an actor, however much it is", () => {
  expect(judgeCollected(PRIMED, CAPS, heap(51), 0, 20).verdict).toEqual({ kind: "fine" });
});

test("what stays over the cap after a collection is, with the numbers", () => {
  expect(judgeCollected(PRIMED, CAPS, heap(84), 0, 20).verdict).toEqual({
    kind: "over_cap",
    reason: { kind: "heap_cap_exceeded", heapCapMb: 64, usedMb: 84 },
  });
  expect(judgeCollected(PRIMED, CAPS, offHeap(33), 0, 20).verdict).toEqual({
    kind: "over_cap",
    reason: { kind: "off_heap_cap_exceeded", offHeapCapMb: 32, usedMb: 33 },
  });
});

test("an actor that is under its caps after a collection keeps three quarters of its time", () => {
  const { state } = judgeCollected(PRIMED, CAPS, heap(51), 1000, 1040);
  expect(judgeSample(state, CAPS, heap(90), 1040 + 119, true).verdict.kind).toBe("fine");
  expect(judgeSample(state, CAPS, heap(90), 1040 + 120, true).verdict.kind).toBe("collect");
});

test("after its first collection it is collected again as soon as it is over its cap", () => {
  const { state } = judgeCollected(UNSUSPECTED, CAPS, heap(38), 1000, 1040);
  expect(judgeSample(state, CAPS, heap(90), 1040, true).verdict.kind).toBe("collect");
});

test("after its second one it is, too, after 50 ms, however long that took", () => {
  const { state } = judgeCollected({ ...UNSUSPECTED, collections: 1 }, CAPS, heap(51), 1000, 1200);
  expect(judgeSample(state, CAPS, heap(90), 1249, true).verdict.kind).toBe("fine");
  expect(judgeSample(state, CAPS, heap(90), 1250, true).verdict.kind).toBe("collect");
});

test("one that is left close to its cap is collected again after 50 ms", () => {
  const { state } = judgeCollected(PRIMED, CAPS, heap(66), 1000, 1060);
  expect(judgeSample(state, CAPS, heap(90), 1109, true).verdict.kind).toBe("fine");
  expect(judgeSample(state, CAPS, heap(90), 1110, true).verdict.kind).toBe("collect");
});

test("an actor is collected once when it is half way to its cap, so that later collections are exact", () => {
  expect(judgeSample(UNSUSPECTED, CAPS, heap(40), 0, true).verdict.kind).toBe("collect");
  const { state } = judgeCollected(PRIMED, CAPS, heap(38), 0, 20);
  expect(judgeSample(state, CAPS, heap(60), 1000, true).verdict.kind).toBe("fine");
});

test("the rest between two collections never delays the end of a leak beyond 300 ms", () => {
  const { state } = judgeCollected(PRIMED, CAPS, heap(51), 0, 5000);
  expect(judgeSample(state, CAPS, heap(90), 5300, true).verdict.kind).toBe("collect");
});

test("without a collection, an actor is over its cap once no sample was under the cap for 400 ms, by the lowest", () => {
  let state = UNSUSPECTED;
  for (const [nowMs, heapMb] of [
    [0, 90],
    [200, 80],
    [399, 100],
  ]) {
    const judged = judgeSample(state, CAPS, heap(heapMb), nowMs, false);
    expect(judged.verdict.kind).toBe("fine");
    state = judged.state;
  }
  expect(judgeSample(state, CAPS, heap(95), 400, false).verdict).toEqual({
    kind: "over_cap",
    reason: { kind: "heap_cap_exceeded", heapCapMb: 64, usedMb: 80 },
  });
});

test("without a collection, one sample under the cap starts the time anew", () => {
  let { state } = judgeSample(UNSUSPECTED, CAPS, heap(90), 0, false);
  ({ state } = judgeSample(state, CAPS, heap(60), 200, false));
  ({ state } = judgeSample(state, CAPS, heap(90), 300, false));
  expect(judgeSample(state, CAPS, heap(90), 500, false).verdict.kind).toBe("fine");
});

test("an actor is sampled the sooner again the closer it is to its caps", () => {
  const gap = (heapMb: number, offHeapMb: number, capMb = 400) =>
    sampleGapMs({ heapMb, offHeapMb }, { heapCapMb: capMb, offHeapCapMb: capMb }, 5);
  expect(gap(0, 0, 1024)).toBe(4 * 5 + 30);
  expect(gap(0, 0)).toBe(4 * 5 + 20);
  expect(gap(180, 0)).toBe(4 * 5 + 10);
  expect(gap(0, 180)).toBe(4 * 5 + 2);
  expect(gap(200, 0)).toBe(5);
  expect(gap(0, 300)).toBe(5);
});
