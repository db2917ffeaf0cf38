import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import { ACTOR_PROCESS, type ThreadCode, WORKER_MAIN } from "@mini-otp/worker-host/protocol/port";

/** This module is part of an application's bundle, so the packages' files are not where it looks for them. */
export const IS_BUNDLED = modifiedMs(WORKER_MAIN) === undefined;

/** The folder with the threads' files: the package's own, or the one that an application has put beside its bundle. */
export const THREAD_FOLDER = IS_BUNDLED
  ? new URL("./mini-otp-thread/", import.meta.url)
  : new URL("../thread/", WORKER_MAIN);

const BUNDLE = new URL("start-thread.cjs", THREAD_FOLDER);
const ENTRY = IS_BUNDLED ? new URL("worker-main.cjs", THREAD_FOLDER) : WORKER_MAIN;
const entryIsThere = modifiedMs(ENTRY) !== undefined;

/** A checkout may be compiled but not bundled: its threads load single modules, which takes four times as long. */
const bundle = bundleIsCurrent() ? { file: fileURLToPath(BUNDLE), url: BUNDLE.href } : undefined;
let compiled: SharedArrayBuffer | undefined;

/** The file that a worker thread starts with. Throws ERR_ACTOR_MODULE if an application was bundled without it. */
export function threadEntry(): URL {
  if (entryIsThere) return ENTRY;
  const advice = "leave @mini-otp/* out of the bundle, or put the thread's files beside it: see docs/bundling.md";
  const message = `what threads start from was not found; tried ${WORKER_MAIN.href}, ${ENTRY.href}; ${advice}`;
  throw new ActorError("ERR_ACTOR_MODULE", message);
}

/** The file that a process of an actor's starts with. */
export function actorProcessFile(): URL {
  return bundle === undefined ? ACTOR_PROCESS : new URL("actor-process.mjs", THREAD_FOLDER);
}

/** The code that the next thread runs. */
export function threadCode(): ThreadCode | undefined {
  return bundle === undefined ? undefined : { ...bundle, compiled };
}

/** Keeps the code that V8 compiled in a thread, so that later threads need not compile it. */
export function keepCompiled(code: Uint8Array): void {
  compiled = new SharedArrayBuffer(code.length);
  new Uint8Array(compiled).set(code);
}

function bundleIsCurrent(): boolean {
  const bundled = modifiedMs(BUNDLE);
  // The TypeScript compiler writes this file, and the published package does not contain it.
  const compiledAt = modifiedMs(new URL("../.tsbuildinfo", WORKER_MAIN));
  return bundled !== undefined && (compiledAt === undefined || bundled >= compiledAt);
}

function modifiedMs(file: URL): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
