import { createRequire } from "node:module";
import v8 from "node:v8";

const { setFlagsFromString } = v8;

/** Collects this thread's garbage, all of it unless it is told otherwise, before it returns. */
export type CollectGarbage = (options?: { type: "minor" }) => void;

/** V8 gives its `gc` to contexts made while the flag is set. The flag is the process's: it is taken back at once. */
export function garbageCollector(): CollectGarbage {
  setFlagsFromString("--expose-gc");
  try {
    // Loaded when it is needed: most threads are never collected by force.
    const vm = createRequire(import.meta.url)("node:vm") as typeof import("node:vm");
    return vm.runInNewContext("gc") as CollectGarbage;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
