import { statSync } from "node:fs";
import { WORKER_MAIN } from "@mini-otp/worker-host/protocol";

const BUNDLE = new URL("./thread/worker-main.js", WORKER_MAIN);

/**
 * What a thread runs: all of worker-host in two files, which load in a quarter of the time. In a checkout that was
 * compiled but not bundled since, the modules it is made of.
 */
export const THREAD_ENTRY = bundleIsCurrent() ? BUNDLE : WORKER_MAIN;

function bundleIsCurrent(): boolean {
  const bundled = modifiedMs(BUNDLE);
  // The compiler's own record. It is not in the published package.
  const compiled = modifiedMs(new URL("./.tsbuildinfo", WORKER_MAIN));
  return bundled !== undefined && (compiled === undefined || bundled >= compiled);
}

function modifiedMs(file: URL): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
