import { spawnSync } from "node:child_process";

/** Runs promtool of Debian's package `prometheus`; `.ci/run` installs it. Throws when it is not there. */
export function promtool(
  args: readonly string[],
  input = "",
): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr, error } = spawnSync("promtool", args, { input, encoding: "utf8" });
  if (error !== undefined) throw new Error("promtool is missing: apt-get install -y prometheus", { cause: error });
  return { code: status, output: stdout + stderr };
}
