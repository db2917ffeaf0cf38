import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { eventually } from "../support/eventually.js";
import { type Program, startProgram } from "../support/program.js";
import { startRedis } from "../support/redis.js";

// A task of the recipe has four seconds, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const program = (name: string): string =>
  fileURLToPath(new URL(`../../../examples/dist/recipes/bullmq/${name}.js`, import.meta.url));

/** The jobs that the service says it has done. */
const done = (service: Program): string[] => service.output().match(/(?<=^done )\d+$/gm) ?? [];

async function startReports(redis: string): Promise<Program> {
  const service = startProgram(program("main"), [redis]);
  await service.says("ready");
  return service;
}

const enqueue = (redis: string, reports: number): Program => startProgram(program("enqueue"), [redis, String(reports)]);

test("a job of BullMQ that never ends, and one that takes all memory, fail alone and are not tried again", async () => {
  const redis = await startRedis();
  const service = await startReports(redis);
  const { output, errors, code } = await enqueue(redis, 4).ended;
  expect({ errors, code }).toEqual({ errors: "", code: 0 });
  expect(output.trim().split("\n")).toEqual([
    "6 reports are in the queue",
    ...[0, 1, 2, 3].map((customer) => `customer-${customer}: 20000 rows`),
    "slow: the report is too much work: unresponsive",
    "huge: the report is too much work: heap_cap_exceeded",
  ]);
  expect(done(service).length).toBe(4);
});

test("a service that is told to end finishes the jobs of BullMQ it has, and the next one does the rest", async () => {
  const redis = await startRedis();
  const first = await startReports(redis);
  const producer = enqueue(redis, 100);
  await eventually(() => done(first).length > 0, 20_000);
  first.process.kill("SIGTERM");
  expect(await first.ended).toMatchObject({ code: 0, signal: null });
  const second = await startReports(redis);
  const { output, code } = await producer.ended;
  expect({ rows: output.match(/: 20000 rows$/gm)?.length, code }).toEqual({ rows: 100, code: 0 });
  expect(done(second).length).toBeGreaterThan(0);
  expect([...done(first), ...done(second)].map(Number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 100 }, (_, job) => job + 1),
  );
});
