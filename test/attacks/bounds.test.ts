import { registerMetrics, startObserver } from "@mini-otp/metrics";
import { dynamicSupervisor, pool, router, startSystem, supervisor } from "@mini-otp/runtime";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { fixture, testSystem } from "../support/system.js";

const filename = new URL("../pool/fixtures/work.js", import.meta.url);
const actor = fixture("counter");

const numbers = (of: (option: object) => object, names: readonly string[]) =>
  names.map((name) => [name, (value: number) => of(within(name, value))] as const);

/** `{ mailbox: { capacity: value } }` for `mailbox.capacity`. */
function within(path: string, value: number): object {
  const [name, ...rest] = path.split(".");
  return { [name]: rest.length === 0 ? value : within(rest.join("."), value) };
}

const BACKOFF = ["minMs", "maxMs", "factor", "jitter", "resetAfterMs"].map((name) => `backoff.${name}`);
const LIFE = ["shutdown", ...BACKOFF];
const LIMITS = ["startTimeoutMs", "heapCapMb", "offHeapCapMb"];
const MAILBOX = ["capacity", "capacityBytes", "blockTimeoutMs"].map((name) => `mailbox.${name}`);
const ACTOR = [...LIFE, ...LIMITS, ...MAILBOX, "handlerTimeoutMs", "maxDeliveries"];
const RESTARTS = ["intensity", "periodMs"];

const SPECS: (readonly [name: string, spec: (value: number) => object])[] = [
  ...numbers((option) => ({ id: "a", actor, ...option }), ACTOR),
  ...numbers((option) => router({ id: "r", actor, route: "round_robin", size: 1, ...option }), [...RESTARTS, "size"]),
  ...numbers(
    (option) => pool({ id: "p", filename, ...option }),
    [
      ...LIFE,
      ...LIMITS,
      "minThreads",
      "maxThreads",
      "idleTimeoutMs",
      "maxQueue",
      "concurrentTasksPerWorker",
      "taskTimeoutMs",
    ],
  ),
  ...numbers((option) => supervisor({ id: "s", ...option }), [...LIFE, ...RESTARTS]),
  ...numbers((option) => dynamicSupervisor({ id: "d", ...option }), [...RESTARTS, "maxChildren"]),
];
/** Platform limits, and what overflows where numbers have 32 bits. */
const HUGE = [2 ** 31, 2 ** 32 + 1, 2 ** 31 + 0.5, 1e308, Number.NaN, -1, -Infinity];

// Promise: number-least-most-error
test.each(SPECS)("%s has bounds, and nothing is allocated beyond them", async (name, spec) => {
  const system = await testSystem();
  for (const value of HUGE) {
    const error = await system.startChild(spec(value) as never).catch((e: unknown) => e);
    expect(error, `${name}: ${value}`).toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field: name, value });
  }
  expect(system.countChildren().specs).toBe(0);
});

const OF_SYSTEM = ["intensity", "periodMs", "spares", "guard.intervalMs", "guard.headroomMb", "guard.totalMb"];

test.each(OF_SYSTEM)("%s of a system has bounds", async (name) => {
  for (const value of HUGE) {
    const error = await startSystem({ logger: false, ...within(name, value) }).catch((e: unknown) => e);
    expect(error, `${name}: ${value}`).toMatchObject({ code: "ERR_INVALID_OPTION", field: name, value });
  }
});

test("the numbers of metrics and of the observer have bounds", async () => {
  const system = await testSystem();
  for (const value of HUGE) {
    const registry = new Registry();
    expect(() => registerMetrics(system, { registry, maxActors: value })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_OPTION", field: "maxActors" }),
    );
    const refused = startObserver(system, { port: value });
    await expect(refused).rejects.toMatchObject({ code: "ERR_INVALID_OPTION", field: "port" });
  }
});

// Promise: number-least-most-error
test("a pool of the most threads and tasks that are allowed starts, and in little memory", async () => {
  const system = await testSystem();
  const before = process.memoryUsage().rss;
  const spec = pool<(n: number) => number>({ id: "p", filename, maxThreads: 1_024, concurrentTasksPerWorker: 1_024 });
  const threads = await system.startChild(spec);
  expect(await threads.run(21)).toBe(42);
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(256);
});

test("the largest mailbox and caps that are allowed start", async () => {
  const system = await testSystem();
  const mailbox = { capacity: 2 ** 30, capacityBytes: 2 ** 30 };
  const caps = { heapCapMb: 2 ** 20, offHeapCapMb: 2 ** 20, maxDeliveries: 2 ** 20 };
  const ref = await system.startChild({ id: "a", actor, mailbox, ...caps });
  expect(await ref.call("add", 1)).toBe(1);
});

// Promise: time-longer-than-timer
test("waiting longer than a timer of Node's can is waiting long, not no time", async () => {
  const system = await startSystem({ logger: false });
  const ref = await system.startChild({ id: "a", actor });
  expect(await ref.with({ timeoutMs: 2 ** 40 }).call("add", 1)).toBe(1);
  expect(await system.stop({ timeoutMs: 2 ** 40 })).toMatchObject({ killed: false });
});
