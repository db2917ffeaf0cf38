import { createRequire } from "node:module";
import v8 from "node:v8";

const { setFlagsFromString } = v8;

/** Collects this thread's garbage before it returns: all of it, or the young generation. */
export type CollectGarbage = (options?: { type: "minor" }) => void;

/**
 * V8 gives `gc` to contexts that are made while the flag is set. The flag is for the whole process, so it is reset at
 * once.
 */
export function garbageCollector(): CollectGarbage {
  setFlagsFromString("--expose-gc");
  try {
    // Loaded on demand, because most threads are never collected by force.
    const vm = createRequire(import.meta.url)("node:vm") as typeof import("node:vm");
    return vm.runInNewContext("gc") as CollectGarbage;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
