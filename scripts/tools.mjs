// What some tests need beside Node, where it is found, and how it is installed.
// Usage: node scripts/tools.mjs [--install]. Prints what is missing, and then ends with 1; with --install it first
// installs that, which needs root and apt.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
const { env } = process;

/** By name: its commands, a variable that has its path, paths beside PATH, and the package that has it. */
export const TOOLS = {
  chromium: {
    commands: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    variable: "CHROMIUM_PATH",
    paths: [CHROME, ...(env.PROGRAMFILES ? [join(env.PROGRAMFILES, "Google/Chrome/Application/chrome.exe")] : [])],
    packages: { apt: "chromium", brew: "--cask google-chrome", choco: "googlechrome" },
  },
  promtool: {
    commands: ["promtool"],
    paths: [],
    packages: { apt: "prometheus", brew: "prometheus", choco: "prometheus" },
  },
  "nats-server": {
    commands: ["nats-server"],
    // Debian has it where only root looks.
    paths: ["/usr/sbin/nats-server"],
    packages: { apt: "nats-server", brew: "nats-server", choco: "nats-server" },
  },
  // Or what speaks as it does. Memurai is one that runs on Windows.
  "redis-server": {
    commands: ["redis-server", "valkey-server", "memurai"],
    paths: env.PROGRAMFILES ? [join(env.PROGRAMFILES, "Memurai/memurai.exe")] : [],
    packages: { apt: "redis-server", brew: "redis", choco: "memurai-developer" },
  },
};

/** The path of a tool, or undefined. */
export function findTool(name) {
  const { commands, variable, paths } = TOOLS[name];
  if (variable !== undefined && env[variable]) return env[variable];
  const suffix = process.platform === "win32" ? ".exe" : "";
  const folders = (env.PATH ?? "").split(delimiter);
  const candidates = commands.flatMap((command) => folders.map((folder) => join(folder, command + suffix)));
  return [...candidates, ...paths].find(isExecutable);
}

export function missingTools() {
  return Object.keys(TOOLS).filter((name) => findTool(name) === undefined);
}

/** The line that installs these. */
export function installLine(names) {
  const packages = (manager) => names.map((name) => TOOLS[name].packages[manager]).join(" ");
  if (process.platform === "darwin") return `brew install ${packages("brew")}`;
  if (process.platform === "win32") return `choco install -y ${packages("choco")}`;
  return `${isRoot() ? "" : "sudo "}apt-get install -y --no-install-recommends ${packages("apt")}`;
}

/** Installs what is missing, where that is possible without asking: as root, with apt. Returns what is still missing. */
export function installTools() {
  const missing = missingTools();
  if (missing.length === 0 || !isRoot() || spawnSync("apt-get", ["--version"]).error) return missing;
  console.log(`installing what some tests need: ${installLine(missing)}`);
  const apt = (...args) =>
    spawnSync("apt-get", ["-qq", ...args], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
    });
  apt("update");
  // One by one: a distribution that lacks one of them has the others.
  for (const name of missing) apt("install", "-y", "--no-install-recommends", TOOLS[name].packages.apt);
  return missingTools();
}

function isRoot() {
  return process.getuid?.() === 0;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { install: { type: "boolean", default: false } } });
  const missing = values.install ? installTools() : missingTools();
  if (missing.length > 0) {
    console.error(`missing: ${missing.join(", ")}; ${installLine(missing)}`);
    process.exitCode = 1;
  }
}
