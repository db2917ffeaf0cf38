import { fileURLToPath } from "node:url";
import { WORKER_MAIN } from "@mini-otp/worker-host/protocol/port";

const FRAME = /^\s+at /;
const OF_NODE = /[( ]node:internal\//;
const RUNTIME_FOLDERS = runtimeFolders();

/**
 * The stack without the frames of the runtime and of Node's inside, which are the same for every crash. A stack that
 * has no other frames stays as it is.
 */
export function withoutRuntimeFrames(stack: string): string {
  const lines = stack.split("\n");
  const kept = lines.filter((line) => !(FRAME.test(line) && isOfRuntime(line)));
  return kept.some((line) => FRAME.test(line)) ? kept.join("\n") : stack;
}

function isOfRuntime(frame: string): boolean {
  return OF_NODE.test(frame) || RUNTIME_FOLDERS.some((folder) => frame.includes(folder));
}

/** As URLs and as paths: frames of CommonJS modules have paths, and source maps lead from `dist` to `src`. */
function runtimeFolders(): string[] {
  const own = /^(.*\/)dist\/reporting\/shown-stack\.js$/.exec(import.meta.url)?.[1];
  const host = /^(.*\/)dist\/host\/[^/]+$/.exec(WORKER_MAIN.href)?.[1];
  // In an application's bundle the packages have no folders; that of the threads' code is beside the bundle.
  const folders =
    own === undefined || host === undefined
      ? [new URL("./mini-otp-thread/", import.meta.url).href]
      : [own, host].flatMap((root) => [`${root}dist/`, `${root}src/`]);
  const paths = folders.filter((folder) => folder.startsWith("file:")).map((folder) => fileURLToPath(folder));
  return [...folders, ...paths].flatMap((folder) => [`(${folder}`, ` ${folder}`]);
}
