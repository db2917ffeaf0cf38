import { createRequire } from "node:module";
import { dirname, isAbsolute, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { WORKER_MAIN } from "@mini-otp/worker-host/protocol/port";
import type { Permissions } from "../supervision/child-spec.js";
import { IS_BUNDLED, THREAD_FOLDER } from "./thread-code.js";

const { allowedNodeEnvironmentFlags } = process;
const PERMISSION = allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";

/**
 * Node's flags for a thread that may do only what `permissions` says, and read its modules: their own folder, and the
 * packages they can import. A flag that this Node does not know is left out, because such a Node does not restrict
 * what the flag would permit (`--allow-net`, before Node 25).
 */
export function permissionFlags(permissions: Permissions, moduleUrls: readonly string[]): string[] {
  const { fsRead = [], fsWrite = [], net, childProcess, worker, addons, wasi } = permissions;
  // Each path once, because Node 20 aborts when it gets certain paths twice.
  const readable = new Set([...runtimeFolders(), ...preloaded(), ...moduleUrls.flatMap(folderOf), ...fsRead]);
  const switches = {
    "--allow-net": net,
    "--allow-child-process": childProcess,
    "--allow-worker": worker,
    "--allow-addons": addons,
    "--allow-wasi": wasi,
  };
  return [
    PERMISSION,
    ...[...readable].map((path) => `--allow-fs-read=${path}`),
    ...fsWrite.map((path) => `--allow-fs-write=${path}`),
    ...Object.entries(switches).flatMap(([flag, allowed]) =>
      allowed === true && allowedNodeEnvironmentFlags.has(flag) ? [flag] : [],
    ),
  ];
}

/** The files that a thread loads worker-host from: its own, and comlink's where it is installed. */
function runtimeFolders(): string[] {
  if (IS_BUNDLED) return [`${fileURLToPath(THREAD_FOLDER)}*`];
  const main = fileURLToPath(WORKER_MAIN);
  return [dirname(dirname(main)), ...comlinkFolders(main)].map(inFolder);
}

function comlinkFolders(from: string): string[] {
  try {
    return [dirname(dirname(createRequire(from).resolve("comlink")))];
  } catch {
    return [];
  }
}

/** The modules that main's flags preload; its threads inherit them. */
function preloaded(): string[] {
  const flag = /^(?:-r|--require|--import|--loader|--experimental-loader)(?:=(.*))?$/;
  return process.execArgv.flatMap((arg, index) => {
    const match = flag.exec(arg);
    const module = match === null ? undefined : (match[1] ?? process.execArgv[index + 1]);
    if (module === undefined) return [];
    if (isAbsolute(module)) return [inFolder(dirname(module))];
    return URL.canParse(module) ? folderOf(module) : [];
  });
}

/** A module's folder, and the folders in which Node looks for its imports. */
function folderOf(url: string): string[] {
  if (!url.startsWith("file:")) return [];
  const folder = dirname(fileURLToPath(url));
  const packages: string[] = [];
  for (let above = folder, inside = ""; above !== inside; inside = above, above = dirname(above)) {
    packages.push(inFolder(join(above, "node_modules")));
  }
  return [inFolder(folder), ...packages];
}

function inFolder(folder: string): string {
  return `${folder}${sep}*`;
}
