import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { nodeOf } from "../faults/node-versions.js";
import { eventually } from "../support/eventually.js";
import { type Program, startProgram } from "../support/program.js";

// Programs with large libraries start, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const recipe = (name: string): string =>
  fileURLToPath(new URL(`../../../examples/dist/recipes/${name}/main.js`, import.meta.url));

async function startService(): Promise<{ service: Program; url: string }> {
  const service = startProgram(recipe("http"));
  await service.says("listening on");
  return { service, url: `http://127.0.0.1:${/listening on (\d+)/.exec(service.output())?.[1]}` };
}

const hash = (url: string, options: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/hash`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ password: "hunter2", salt: "salt" }),
    ...options,
  });

async function handling(url: string): Promise<number> {
  const { handling } = (await (await fetch(`${url}/ready`)).json()) as { handling: unknown[] };
  return handling.filter((method) => method !== null && method !== undefined).length;
}

test("the web service answers what its actors have room for, and says 503 to the rest", async () => {
  const { url } = await startService();
  const answers = await Promise.all(Array.from({ length: 40 }, () => hash(url)));
  const statuses = answers.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(8);
  expect(answers.find(({ status }) => status === 503)?.headers.get("retry-after")).toBe("1");
  const digests = await Promise.all(answers.filter(({ ok }) => ok).map((answer) => answer.text()));
  expect(new Set(digests).size).toBe(1);
});

test("the web service gives up the work of a client that hangs up", async () => {
  const { url } = await startService();
  const client = new AbortController();
  const answer = hash(url, { signal: client.signal }).catch((error: unknown) => error);
  await eventually(async () => (await handling(url)) === 1, 20_000);
  client.abort();
  expect(await answer).toMatchObject({ name: "AbortError" });
  const counts = (await (await fetch(`${url}/counts`)).json()) as { value: { hashed: number; abandoned: number } }[];
  expect(counts.map(({ value }) => value)).toContainEqual({ hashed: 0, abandoned: 1 });
});

test("the web service finishes the requests it has taken when it is told to end", async () => {
  const { service, url } = await startService();
  const answers = [hash(url), hash(url)];
  await eventually(async () => (await handling(url)) === 2, 20_000);
  service.process.kill("SIGTERM");
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
  expect(await service.ended).toMatchObject({ code: 0, signal: null });
});

test("the thumbnails are made, and an image that is no image, or too large, fails alone", async () => {
  const { output, errors, code } = await startProgram(recipe("images")).ended;
  expect({ errors, code }).toEqual({ errors: "", code: 0 });
  expect(output.trim().split("\n")).toEqual([
    "photo.jpeg: 320 × 240",
    "bomb.png: refused, Input image exceeds pixel limit",
    "noise.png: refused, Input buffer contains unsupported image format",
    "again.jpeg: 320 × 240",
  ]);
});

test("the MQTT ingest handles every reading once, while the broker waits for it", async () => {
  const { output, errors, code } = await startProgram(recipe("mqtt"), ["600"]).ended;
  expect({ errors, code }).toEqual({ errors: "", code: 0 });
  expect(output).toContain("600 readings of 8 sensors, each sensor's in order");
});

test("the accounts in SQLite come to the same sum after their actor was killed in the middle of the work", async () => {
  const folder = mkdtempSync(join(tmpdir(), "recipe-sqlite-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // Node 20 has no SQLite.
  const { stdout } = await promisify(execFile)(nodeOf(24), [recipe("sqlite"), join(folder, "accounts.db")]);
  expect(stdout.trim().split("\n")).toEqual([
    "grace has less than 5",
    "incarnation 2, at most one unanswered",
    "in all accounts together: 1000",
  ]);
});

test("the keyed actors keep the state of 20 000 devices, and a fault of one device leaves the others alone", async () => {
  const { output, errors, code } = await startProgram(recipe("devices"), ["20000"]).ended;
  expect({ errors, code }).toEqual({ errors: "", code: 0 });
  expect(output.trim().split("\n")).toEqual([
    "20000 devices, spread evenly over 2 actors",
    "device-7: 21 degrees on average",
    "device-7: NaN is no temperature",
    "device-7 starts again: no readings of device-7",
    "19999 devices are left, restarts: 0",
  ]);
});

test("a worker file that was written for piscina gives the same in a supervised pool", async () => {
  const { output, errors, code } = await startProgram(recipe("from-piscina")).ended;
  expect({ output, errors, code }).toEqual({ output: "1229 primes, the same\n", errors: "", code: 0 });
});
