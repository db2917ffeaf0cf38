import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSystem } from "@mini-otp/runtime";
import { expect, onTestFinished, test, vi } from "vitest";

// A compiler reads every declaration, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

const root = fileURLToPath(new URL("../../../", import.meta.url));
const script = join(root, "scripts/api-reference.mjs");
const pages = new Map(
  ["docs/api.md", ...readdirSync(join(root, "docs/api")).map((name) => `docs/api/${name}`)].map((path) => [
    path,
    readFileSync(join(root, path), "utf8"),
  ]),
);

test("the API reference is what the code says, and has an entry for each of the project's types that it names", () => {
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("every link in the API reference leads to an entry", () => {
  const lost: string[] = [];
  for (const [path, page] of pages) {
    for (const [, file, anchor] of page.matchAll(/\]\(([\w./-]*\.md)?#([^)]+)\)/g)) {
      const target = file === undefined ? path : join(path, "..", file).replaceAll("\\", "/");
      if (!pages.get(target)?.includes(`<a id="${anchor}">`)) lost.push(`${path}: ${file ?? ""}#${anchor}`);
    }
  }
  expect(lost).toEqual([]);
});

test.each([
  ["ActorSpec", { kind: "actor" }],
  ["RouterSpec", { kind: "router" }],
  ["PoolSpec", { kind: "pool" }],
  ["ResourceSpec", { kind: "resource" }],
  ["SupervisorSpec", { kind: "supervisor" }],
  ["DynamicSupervisorSpec", { kind: "dynamic_supervisor" }],
])("the entry of %s shows every option that such a spec can have", async (name, spec) => {
  const children = [{ ...spec, id: "a", noOptionIsCalledThis: 1 }] as never;
  const error = await startSystem({ logger: false, children }).catch((error: unknown) => error);
  const options = (error as { allowed: string }).allowed.split(", ");
  const entry = pages
    .get("docs/api/runtime.md")
    ?.split(/^## /m)
    .find((entry) => entry.startsWith(`${name}\n`));
  const shown = [...(entry ?? "").matchAll(/^(?:\| <a id="[^"]*"><\/a> `|#### )(\w+)/gm)].map(([, option]) => option);
  expect(shown).toEqual(expect.arrayContaining(options));
});

test("a type that a signature names and no entry point exports is told, with the places that name it", async () => {
  const { readApi, missingTypes } = (await import(join(root, "scripts/public-api.mjs"))) as {
    readApi(options: object): Promise<unknown>;
    missingTypes(api: unknown): Map<string, Set<string>>;
  };
  // Beneath the tests, so that it is a package of the project's.
  const folder = mkdtempSync(join(import.meta.dirname, "api-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "kept.d.ts"), "export interface Kept {\n  readonly a: number;\n}\n");
  const entry = join(folder, "index.d.ts");
  writeFileSync(entry, 'import type { Kept } from "./kept.js";\nexport declare function keep(given: Kept): void;\n');
  const missing = missingTypes(await readApi({ entryPoints: [entry], tsconfig: join(root, "tsconfig.base.json") }));
  expect([...missing].map(([type, places]) => [type.split(" ")[0], [...places].join(" ")])).toEqual([
    ["Kept", expect.stringContaining("keep")],
  ]);
});
