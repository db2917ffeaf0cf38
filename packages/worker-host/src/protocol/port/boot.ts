import type { MessagePort } from "node:worker_threads";
import type { Encoded } from "../values/encoded.js";

/** The file a worker thread is started with. */
export const WORKER_MAIN = new URL("../../host/worker-main.cjs", import.meta.url);

/** Stands for the actor around a module that exposes something with comlink. No file has this URL. */
const COMLINK_ACTOR = "mini-otp:comlink-actor";

/** In the place of an actor's module: the actor around what one of these modules exposes with comlink. */
export function comlinkActorUrl(modules: readonly string[]): URL {
  const url = new URL(COMLINK_ACTOR);
  for (const module of modules) url.searchParams.append("module", module);
  return url;
}

/** The modules that such a URL names; undefined for the URL of an actor's own module. */
export function exposingModules(url: string): string[] | undefined {
  return url.startsWith(COMLINK_ACTOR) ? new URL(url).searchParams.getAll("module") : undefined;
}

/** All that a thread runs before the actor's own module, in one file. */
export interface ThreadCode {
  readonly file: string;
  readonly url: string;
  /** What V8 has made of it in a thread before. */
  readonly compiled: SharedArrayBuffer | undefined;
}

/** Under `Symbol.for` of this, a thread's global object has what main's guard evaluates there. */
export const GUARD_HOOK = "mini-otp.guard";

/** What a thread is started with. */
export interface BootData {
  /** To main. A channel of the runtime's own, which main can also read without its event loop turning. */
  readonly port: MessagePort;
  readonly segments: readonly SharedArrayBuffer[];
  readonly names: SharedArrayBuffer;
  readonly epochMs: number;
  readonly ownerId: number;
  /** One word, rung by a thread that gets busy while main's guard sleeps. */
  readonly guardBell: SharedArrayBuffer;
  /** See attention.ts. */
  readonly attention: SharedArrayBuffer;
  readonly offHeapCapMb: number;
  /** One word: how many actors' threads do not sleep. */
  readonly awake: SharedArrayBuffer;
  /** How many threads can run at a time. */
  readonly cores: number;
  /** One word: the lowest level that main's logger takes. */
  readonly logLevel: SharedArrayBuffer;
  /** Where `console` goes: to the process's own streams, or to the log. */
  readonly console: "inherit" | "log";
  /** URLs to try, in this order. */
  readonly moduleUrls: readonly string[];
  /** Undefined: the thread loads the modules that the code is made of. */
  readonly code: ThreadCode | undefined;
}

/** What makes a thread an actor's incarnation. */
export interface InitData {
  readonly type: "init";
  readonly id: string;
  readonly name: string | undefined;
  readonly address: number;
  readonly uid: number;
  readonly incarnation: number;
  readonly args: Encoded;
}
