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
  const { platform, arch } = process;
  const name = `node-${platform === "win32" ? "win" : platform}-${arch}`;
  const binary = new URL(`node_modules/${name}/bin/node${platform === "win32" ? ".exe" : ""}`, folder);
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(new URL("package.json", folder), '{ "private": true }\n');
    const args = ["install", "--no-save", "--no-audit", "--no-fund", `${name}@${major}`];
    execFileSync("npm", args, {
      cwd: fileURLToPath(folder),
      stdio: ["ignore", "ignore", "inherit"],
      shell: platform === "win32",
    });
  }
  return fileURLToPath(binary);
}
