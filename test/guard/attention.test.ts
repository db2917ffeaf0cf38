import { Worker } from "node:worker_threads";
import {
  ATTENTION_BYTES,
  askUnlessLeaving,
  askUnlessLeavingBy,
  attentionTable,
  claimAttention,
  leave,
  releaseAttention,
} from "@mini-otp/worker-host/protocol/memory";
import { expect, test } from "vitest";

const words = () => new Int32Array(new SharedArrayBuffer(ATTENTION_BYTES));

test("a thread is asked until it leaves, and never after", () => {
  const attention = words();
  expect(askUnlessLeaving(attention, () => "asked")).toBe("asked");
  leave(attention);
  expect(askUnlessLeaving(attention, () => "asked")).toBeUndefined();
});

test("a thread that leaves waits until main has asked", async () => {
  const attention = words();
  const left = new Int32Array(new SharedArrayBuffer(4));
  const module = JSON.stringify(import.meta.resolve("@mini-otp/worker-host/protocol/memory"));
  const program = `import(${module}).then(({ leave }) => {
    const { workerData: { attention, left } } = require("node:worker_threads");
    leave(attention);
    Atomics.store(left, 0, 1);
    Atomics.notify(left, 0);
  })`;
  const worker = new Worker(program, { eval: true, workerData: { attention, left } });
  // Leaving is the thread's first store: it is seen while the asking goes on, and what comes after it is not.
  const during = askUnlessLeaving(attention, () => {
    const deadline = performance.now() + 20_000;
    while (Atomics.load(attention, 1) === 0 && performance.now() < deadline);
    return Atomics.load(left, 0);
  });
  expect(during).toBe(0);
  expect(Atomics.wait(left, 0, 0, 20_000)).not.toBe("timed-out");
  await worker.terminate();
});

test("of threads in a table, each is asked until it leaves, and its place is another's once it has exited", () => {
  const table = attentionTable(2);
  const ask = (threadId: number) => askUnlessLeavingBy(table, threadId, () => "asked");
  const [first, second] = [7, 8].map((threadId) => claimAttention(table, threadId));
  expect(claimAttention(table, 9)).toBeUndefined();
  leave(first as Int32Array);
  expect([7, 8, 9].map(ask)).toEqual([undefined, "asked", "asked"]);
  releaseAttention(table, 7);
  leave(second as Int32Array);
  claimAttention(table, 9);
  expect([8, 9].map(ask)).toEqual([undefined, "asked"]);
});
