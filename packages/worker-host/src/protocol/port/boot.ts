import type { MessagePort } from "node:worker_threads";
import type { Throws } from "../options/throws.js";
import type { Encoded } from "../values/encoded.js";

/** The file a worker thread is started with. */
export const WORKER_MAIN = new URL("../../host/worker-main.cjs", import.meta.url);

/** Stands for the actor around a module that uses comlink's `expose`. No file has this URL. */
const COMLINK_ACTOR = "mini-otp:comlink-actor";

/** A module URL for the actor around the value that one of these modules exposes with comlink. */
export function comlinkActorUrl(modules: readonly string[]): URL {
  const url = new URL(COMLINK_ACTOR);
  for (const module of modules) url.searchParams.append("module", module);
  return url;
}

/** The modules that such a URL names; undefined for the URL of an ordinary actor module. */
export function exposingModules(url: string): string[] | undefined {
  return url.startsWith(COMLINK_ACTOR) ? new URL(url).searchParams.getAll("module") : undefined;
}

/** One file with all code that a thread runs before the actor's own module. */
export interface ThreadCode {
  readonly file: string;
  readonly url: string;
  /** V8's compiled form of it, from an earlier thread. */
  readonly compiled: SharedArrayBuffer | undefined;
}

/** Under `Symbol.for` of this, a thread's global object holds the function that main's guard evaluates there. */
export const GUARD_HOOK = "mini-otp.guard";

/** How a process is started. */
export interface ProcessOptions {
  /** The URL of its first file. */
  readonly file: string;
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly heapCapMb: number;
  readonly offHeapCapMb: number;
}

/** The worker data of an actor's thread. */
export interface BootData {
  /** The channel to main, apart from Node's own, because main also reads it without a turn of its event loop. */
  readonly port: MessagePort;
  readonly segments: readonly SharedArrayBuffer[];
  readonly names: SharedArrayBuffer;
  readonly epochMs: number;
  readonly ownerId: number;
  /** One word. A thread that gets busy rings it, to wake main's guard. */
  readonly guardBell: SharedArrayBuffer;
  /** See attention.ts. */
  readonly attention: SharedArrayBuffer;
  readonly offHeapCapMb: number;
  /** One word: the number of actors' threads that do not sleep. */
  readonly awake: SharedArrayBuffer;
  /** The number of threads that can run at a time. */
  readonly cores: number;
  /** One word: the lowest level that main's logger writes. */
  readonly logLevel: SharedArrayBuffer;
  /** The target of `console`: the process's own streams, or the log. */
  readonly console: "inherit" | "log";
  /** URLs to try, in order. */
  readonly moduleUrls: readonly string[];
  /** How the process is started that runs the actor's module. Undefined: the thread runs it. */
  readonly process: ProcessOptions | undefined;
  /** Undefined: the thread loads the single modules instead. */
  readonly code: ThreadCode | undefined;
}

/** Turns a thread into an incarnation of an actor. */
export interface InitData {
  readonly type: "init";
  readonly id: string;
  readonly name: string | undefined;
  readonly address: number;
  readonly uid: number;
  readonly incarnation: number;
  /** From the spec. Undefined: the actor's definition says it. */
  readonly throws: Throws | undefined;
  readonly args: Encoded;
}
