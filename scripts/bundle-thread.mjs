// Puts everything an actor's thread runs before its own module into one file (forty modules take 30 ms to load, Node 20),
// and what the actor's module imports into another. Every start of an actor pays for both. Run after `tsc -b`; does
// nothing when it is up to date.
import { copyFileSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const dist = new URL("../packages/worker-host/dist/", import.meta.url);
const path = (file) => fileURLToPath(new URL(file, dist));
const modifiedMs = (file) => statSync(path(file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const BUNDLE = "thread/start-thread.cjs";

const options = {
  bundle: true,
  platform: "node",
  target: "node20",
  // A third less to read; names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "inline",
  logLevel: "warning",
};

if (modifiedMs(BUNDLE) < modifiedMs(".tsbuildinfo")) {
  // First, because the others take it in. Its licence asks for its text beside each copy.
  const licence = readFileSync(path("../node_modules/msgpackr/LICENSE"), "utf8");
  await build({
    ...options,
    entryPoints: ["msgpackr/pack"],
    absWorkingDir: path(".."),
    outfile: path("thread/msgpackr.js"),
    format: "esm",
    sourcemap: false,
    banner: { js: `/*! msgpackr\n${licence}*/` },
  });
  await build({ ...options, entryPoints: [path("index.js")], outfile: path("thread/index.js"), format: "esm" });
  await build({
    ...options,
    entryPoints: [path("host/start-thread.js")],
    outfile: path(BUNDLE),
    // A function that worker-main.cts calls: only as a script can V8 give the code away that it has compiled.
    format: "cjs",
    banner: { js: "(function (module, require, url) {" },
    footer: { js: "})" },
    define: { "import.meta.url": "url" },
  });
  // What runs in an actor's process. It starts in half the time of its forty modules.
  for (const [entry, file] of [
    ["host/actor-process.js", "thread/actor-process.mjs"],
    ["process/watcher.js", "thread/watcher.mjs"],
  ])
    await build({ ...options, entryPoints: [path(entry)], outfile: path(file), format: "esm" });
  // Beside it what loads it, so that an application can take the folder along.
  copyFileSync(path("host/worker-main.cjs"), path("thread/worker-main.cjs"));
}
