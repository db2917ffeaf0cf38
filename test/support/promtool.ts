import { spawnSync } from "node:child_process";
import { tool } from "./tools.js";

/** Runs promtool of Debian's package `prometheus`. Where it is missing the test is skipped, or fails in CI. */
export function promtool(
  args: readonly string[],
  input = "",
): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr, error } = spawnSync(tool("promtool"), args, { input, encoding: "utf8" });
  if (error !== undefined) throw error;
  return { code: status, output: stdout + stderr };
}
