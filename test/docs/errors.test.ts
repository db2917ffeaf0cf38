import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";

// A compiler reads every declaration, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const root = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(join(root, "docs/errors.md"), "utf8");

function check(...args: string[]) {
  const script = join(root, "scripts/check-errors-page.mjs");
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { status, said: stderr.trim() };
}

test("the page of errors has a row for every code and every kind of exit reason, with the facts that the code gives", () => {
  expect(check()).toEqual({ status: 0, said: "" });
});

test("a page that lacks a code, a kind of reason or a fact, or has a code that does not exist, is refused", () => {
  const faults: [part: RegExp, instead: string, complaint: string][] = [
    [/^\| `ERR_CALL_CYCLE`.*\n/m, "", "no row for ERR_CALL_CYCLE"],
    [/^\| `unresponsive`.*\n/m, "", "no row for unresponsive"],
    [/`limitMb`/, "", "the row for ERR_HEAP_CAP_INEFFECTIVE does not name `limitMb`"],
    [/`ERR_NO_KEY`/, "`ERR_NO_KEYS`", "a row for ERR_NO_KEYS, which is no code"],
  ];
  for (const [part] of faults) expect(page).toMatch(part);
  const folder = mkdtempSync(join(tmpdir(), "errors-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "errors.md");
  writeFileSync(
    file,
    faults.reduce((text, [part, instead]) => text.replace(part, instead), page),
  );
  const { status, said } = check("--page", file);
  for (const [, , complaint] of faults) expect(said).toContain(complaint);
  expect(status).toBe(1);
});
