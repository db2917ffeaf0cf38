import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ThreadCode, WORKER_MAIN } from "@mini-otp/worker-host/protocol";

const BUNDLE = new URL("./thread/start-thread.cjs", WORKER_MAIN);

/**
 * In a checkout that was compiled but not bundled since, threads load the modules that their code is made of. That takes
 * four times as long.
 */
const bundle = bundleIsCurrent() ? { file: fileURLToPath(BUNDLE), url: BUNDLE.href } : undefined;
let compiled: SharedArrayBuffer | undefined;

/** What the next thread runs. */
export function threadCode(): ThreadCode | undefined {
  return bundle === undefined ? undefined : { ...bundle, compiled };
}

/** What V8 has made of it in a thread: the threads to come need not compile it. */
export function keepCompiled(code: Uint8Array): void {
  compiled = new SharedArrayBuffer(code.length);
  new Uint8Array(compiled).set(code);
}

function bundleIsCurrent(): boolean {
  const bundled = modifiedMs(BUNDLE);
  // The compiler's own record. It is not in the published package.
  const compiledAt = modifiedMs(new URL("./.tsbuildinfo", WORKER_MAIN));
  return bundled !== undefined && (compiledAt === undefined || bundled >= compiledAt);
}

function modifiedMs(file: URL): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
