import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { TestRunner } from "vitest";

export type ToolName = "chromium" | "promtool" | "nats-server" | "redis-server";

interface Tools {
  /** The path of a tool, or undefined. */
  findTool(name: ToolName): string | undefined;
  /** The line that installs these. */
  installLine(names: readonly ToolName[]): string;
}

const scripts = fileURLToPath(new URL("../../../scripts/", import.meta.url));
export const { findTool, installLine }: Tools = await import(pathToFileURL(join(scripts, "tools.mjs")).href);

/**
 * The path of a tool. Where it is missing the running test is skipped, and the summary says how to install it; with `CI`
 * set that is a failure, because there a test that does not run proves nothing.
 */
export function tool(name: ToolName): string {
  const path = findTool(name);
  if (path !== undefined) return path;
  const note = `no ${name}: ${installLine([name])}`;
  if (!process.env.CI) TestRunner.getCurrentTest()?.context.skip(note);
  throw new Error(note);
}
