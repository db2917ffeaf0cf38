import { createRequire, syncBuiltinESMExports } from "node:module";

/** Lets the user's module find the pool's `workerData` where it does in a thread: in `node:worker_threads`. */
export function giveWorkerData(workerData: unknown): void {
  const threads = createRequire(import.meta.url)("node:worker_threads") as { workerData: unknown };
  threads.workerData = workerData ?? null;
  syncBuiltinESMExports();
}
