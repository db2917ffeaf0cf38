import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);
const script = fileURLToPath(new URL("scripts/semantics-doc.mjs", root));
const trees: string[] = [];

afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

function check(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [script, "--check", ...args], { encoding: "utf8" });
  return { status, said: stderr.trim() };
}

function checkTree(page: string, tests: string) {
  const tree = mkdtempSync(join(tmpdir(), "semantics-"));
  trees.push(tree);
  for (const [path, text] of Object.entries({ "docs/runtime-semantics.md": page, "test/calls/calls.test.ts": tests })) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return check("--root", tree);
}

const PAGE = "- A call settles. <!-- settles -->\n  - `calls/calls.test.ts`: settles, whatever happens\n";
const TEST = '// Promise: settles\ntest("[call] settles, whatever happens", () => {});\n';

test("each promise of the page names the tests that say they check it", () => {
  const page = readFileSync(new URL("docs/runtime-semantics.md", root), "utf8");
  expect(page.match(/<!-- \S+ -->/g)?.length).toBeGreaterThanOrEqual(180);
  expect(check()).toEqual({ status: 0, said: "" });
});

test.each([
  ["as it should be is taken", PAGE, TEST, ""],
  ["with a test that has another name by now is out of date", PAGE, TEST.replace("whatever", "what"), "out of date"],
  ["with a promise that no test checks is refused", PAGE, "", "no test checks the promise settles"],
  ["without a promise that a test checks is refused", "# Nothing\n", TEST, "checks settles, which is no promise"],
  ["with a promise that has no key is refused", `${PAGE}- Nothing is lost.\n`, TEST, "no key: Nothing is lost."],
])("a page %s", (_which, page, tests, complaint) => {
  const { status, said } = checkTree(page, tests);
  expect(said).toContain(complaint);
  expect(status).toBe(complaint === "" ? 0 : 1);
});
