import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { startProgram } from "../support/program.js";
import { LEAST_WORKED, type Report } from "./public-api/attack.js";
import { readSurface } from "./public-api/read-types.js";
import type { Surface } from "./public-api/shapes.js";

/** To repeat a run: the seed is in what a failure says. */
const SEED = Number(process.env.PUBLIC_API_SEED ?? Math.floor(Math.random() * 2 ** 31));
const CALLS = 2_000;
const FOR_MS = ofPart(800, 800, 5_000);
const PROGRAM = fileURLToPath(new URL("./programs/public-api.js", import.meta.url));

const AREAS = ["system", "references", "rest", "actor"] as const;
/** The runtime calls these: a user gives them, or they are rows of the table of metrics. `DeferredBrand` is a type only. */
const NOT_FOR_USERS = /^(?:Logger|ResourceSpec|Emitter|\w+Metric|DeferredBrand)\./;

describe("every public function, with values at random", () => {
  const folder = mkdtempSync(join(tmpdir(), "public-api-"));
  const file = join(folder, "surface.json");
  const reports: Report[] = [];
  let surface: Surface;

  beforeAll(() => {
    surface = readSurface();
    writeFileSync(file, JSON.stringify(surface));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  // Promise: whatever-values-public-functions
  test.each(AREAS)("works or says clearly what is wrong, and the process and a bystander live on: %s", async (area) => {
    const program = startProgram(PROGRAM, [file, area, String(SEED), String(CALLS), String(FOR_MS)]);
    const { output, errors, code, signal } = await program.ended;
    expect({ code, signal }, `seed ${SEED}: ${output}${errors}`).toEqual({ code: 0, signal: null });
    const report = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as Report;
    reports.push(report);
    expect(report.failures.join("\n\n")).toBe("");
    expect(report.worked).toBeGreaterThan(LEAST_WORKED);
  });

  // Promise: whatever-values-public-functions
  test("was called, and every option was tried", () => {
    const called = new Set(reports.flatMap((report) => report.called));
    const missed = Object.keys(surface.calls).filter((name) => !called.has(name) && !NOT_FOR_USERS.test(name));
    expect(missed).toEqual([]);
    const tried = new Set(reports.flatMap((report) => report.tried.map((option) => option.split(".").at(-1))));
    const options = Object.values(surface.options).flatMap(({ name, fields }) =>
      fields.filter((field) => !tried.has(field.name)).map((field) => `${name}.${field.name}`),
    );
    expect(options, `seed ${SEED}`).toEqual([]);
  });
});
