import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const { casesOf, SUITE_OF } = await import(join(root, "scripts/otp-cases.mjs"));
const { conformanceTable } = await import(join(root, "scripts/conformance-reporter.mjs"));

/** Everything in square brackets in front of a test's name, in the sources. */
function namedCases(): string[] {
  const folder = join(root, "test");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const sources = files.filter((file) => file.endsWith(".ts") && !/^(?:dist|node_modules)\b/.test(file));
  return sources.flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    return [...text.matchAll(/\b(?:test|name)\b.*?["`]((?:\[[a-z]\w*\] )+)/g)].flatMap(([, tags]) => casesOf(tags));
  });
}

test("a test that names a case of OTP's names one that exists, and there are at least 90", () => {
  const cases = new Set(namedCases());
  expect([...cases].filter((name) => !SUITE_OF.has(name))).toEqual([]);
  expect(cases.size).toBeGreaterThanOrEqual(90);
});

test("the conformance table says of each case whether all its tests passed", () => {
  const states = new Map([
    ["links", ["passed", "passed"]],
    ["call", ["passed", "failed"]],
    ["cast", ["skipped"]],
  ]);
  const table: string = conformanceTable(states);
  expect(table).toContain("OTP conformance: 1 of 2 cases pass");
  expect(table).toMatch(/erl_link_SUITE \(1\)\n +pass links ×2/);
  expect(table).toMatch(/gen_server_SUITE \(1\)\n +FAIL call ×2/);
  expect(table).not.toContain("cast");
});
