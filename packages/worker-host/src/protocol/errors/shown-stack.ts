import { fileURLToPath } from "node:url";

const FRAME = /^\s+at /;
const OF_NODE = /[( ]node:internal\//;
/** As URLs and as paths: frames of CommonJS modules have paths, and source maps lead from `dist` to `src`. */
const INSTALLED = /[\\/]node_modules[\\/](?:@mini-otp[\\/][^\\/]+|mini-otp)[\\/](?:dist|src)[\\/]/;
const OWN_FOLDERS = ownFolders();

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
  return OF_NODE.test(frame) || INSTALLED.test(frame) || OWN_FOLDERS.some((folder) => frame.includes(folder));
}

/** The packages lie side by side, in this repository too. pnpm installs them apart: then `INSTALLED` knows them. */
function ownFolders(): string[] {
  const packages = /^(.*\/)worker-host\/dist\/(?:protocol\/errors|host|thread)\/[^/]+$/.exec(import.meta.url)?.[1];
  // In an application's bundle the packages have no folders; that of the threads' code is beside the bundle.
  const folders =
    packages === undefined
      ? [new URL("./mini-otp-thread/", import.meta.url).href]
      : ["worker-host", "runtime", "metrics", "cluster", "mini-otp"].flatMap((name) =>
          ["dist", "src"].map((code) => `${packages}${name}/${code}/`),
        );
  const paths = folders.filter((folder) => folder.startsWith("file:")).map((folder) => fileURLToPath(folder));
  return [...folders, ...paths].flatMap((folder) => [`(${folder}`, ` ${folder}`]);
}
