import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";

// A compiler reads every declaration, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

const script = fileURLToPath(new URL("../../../scripts/options-doc.mjs", import.meta.url));

test("the page of options has every option that the checkers know, with its type, its default and what is allowed", () => {
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
