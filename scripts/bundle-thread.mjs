// Puts everything an actor's thread loads before its own module into two files: forty modules take 30 ms to load, two
// take 7 (Node 20), and every start of an actor pays for it. Run after `tsc -b`; does nothing when it is up to date.
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const dist = new URL("../packages/worker-host/dist/", import.meta.url);
const path = (file) => fileURLToPath(new URL(file, dist));
const modifiedMs = (file) => statSync(path(file), { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (modifiedMs("thread/worker-main.js") < modifiedMs(".tsbuildinfo")) {
  await build({
    // The actor around a comlink module works with the loop's own classes, so they share what both are made of.
    entryPoints: [path("worker-main.js"), path("comlink-actor.js")],
    outdir: path("thread"),
    splitting: true,
    chunkNames: "shared",
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // A third less to read; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "inline",
    logLevel: "warning",
  });
}
