import type { Encoded } from "../values/encoded.js";
import type { InitData } from "./boot.js";
import type { LogLevel } from "./log-levels.js";

/*
 * What a process of its own is started with, a pool's as an actor's; and what an actor's thread and its process tell each
 * other.
 */

/** The descriptor, beside stdio, of the pipe by which a process is sent messages. Its event loop reads them. */
export const ORDERS_FD = 3;

/**
 * The descriptor of the pipe between what has started a process and the process's
 * watcher. The process reads there that the other has ended, and writes a WatcherWord before it ends itself.
 */
export const WATCHER_FD = 4;

/**
 * The descriptor of the pipe that a process writes everything to, without its event loop: so it keeps its order, and arrives
 * also when the process ends in the next instruction. An actor's process reads there the answers that it blocks for.
 */
export const REQUESTS_FD = 5;

/** The name of the global symbol by which the watcher has the garbage of its process's main thread collected. */
export const COLLECT_HOOK = "mini-otp.collect-process";

/** The name of the global symbol by which the watcher has its process's main thread looked into: see looks.ts. */
export const LOOK_HOOK = "mini-otp.look-into-process";

/** Main asks what the process's main thread holds or does, whatever runs there. The answer comes as `looked`, or in parts. */
export type Look =
  | { readonly what: "heap_snapshot"; readonly request: number }
  | { readonly what: "cpu_profile"; readonly request: number; readonly ms: number };

/** What the watcher has measured when it ends its process, as JSON. */
export interface WatcherWord {
  /** Resident memory over what the process had before it loaded the module, in MiB. */
  readonly usedMb: number;
}

/** The file that an actor's process is started with. */
export const ACTOR_PROCESS = new URL("../../host/actor-process.js", import.meta.url);

/** The first message to an actor's process. */
export interface ActorProcessData {
  readonly type: "boot";
  /** URLs to try, in order. */
  readonly moduleUrls: readonly string[];
  /** The most resident memory over what the process has before it loads the module, in MiB. */
  readonly capMb: number;
  readonly console: "inherit" | "log";
  /** The lowest level that main's logger writes. */
  readonly logLevel: number;
}

/**
 * What an actor's process has measured of itself. Its main thread measures, so while that is blocked nothing comes. MiB,
 * and ms since its start.
 */
export interface ProcessFigures {
  /** V8's heap of the main thread. */
  readonly heapMb: number;
  readonly rssMb: number;
  /** The resident memory beside the heap that it had before it loaded the module. */
  readonly baseMb: number;
  /** Of all its threads. */
  readonly cpuMs: number;
  /** Of its event loop. */
  readonly activeMs: number;
  readonly idleMs: number;
}

/** How often it measures. It tells of it while a handler runs, and when its heap has changed. */
export const FIGURES_MS = 250;

/** A part of the actor's definition that its process runs, or what is done to its state. */
export type ProcessPart = "init" | "handler" | "info" | "terminate" | "codeChange" | "getState" | "replaceState";

export type ToActorProcess =
  | ActorProcessData
  /** Makes the process an incarnation: before `init`, after `codeChange`. */
  | ({ readonly type: "incarnation" } & Omit<InitData, "type" | "throws">)
  /** Runs one part. There is no other before the answer, but for items of streams. */
  | {
      readonly type: "run";
      readonly run: number;
      readonly part: ProcessPart;
      readonly method: string;
      readonly args: Encoded;
      readonly logLevel: number;
    }
  /** The signal of this run is aborted. */
  | { readonly type: "abort"; readonly run: number }
  /** The next item of the stream that this run has answered with; or its end. */
  | { readonly type: "pull"; readonly run: number; readonly ends: boolean }
  /** What the actor's code waits for, without blocking, has ended. */
  | { readonly type: "settled"; readonly request: number; readonly failed: boolean; readonly value: Encoded }
  /** An item of a stream that the process reads; `settled` ends it. */
  | { readonly type: "item"; readonly request: number; readonly item: Encoded }
  | { readonly type: "leave" };

/** The actor, the router or the pool that something is sent to by reference. A pool has no address. */
export interface Addressee {
  readonly address: number;
  readonly uid: number;
  readonly id: string;
  /** Of a router: the hash of the key, or null without one. */
  readonly keyHash?: number | null;
}

/** What the actor's code asks its thread for. `args` are the user's. */
export interface ProcessRequest {
  /** A method of `ctx`, or of the reference `to`. */
  readonly what: string;
  readonly to?: Addressee;
  readonly method?: string;
  readonly timeoutMs?: number;
  readonly args: Encoded;
}

export type FromActorProcess =
  | {
      readonly type: "loaded";
      readonly methods: readonly string[];
      readonly parts: readonly ("info" | "terminate")[];
      readonly version: string | undefined;
      readonly throws: "crash" | "reply" | undefined;
    }
  | { readonly type: "not_loaded"; readonly error: Encoded }
  | { readonly type: "ran"; readonly run: number; readonly value: Encoded }
  | { readonly type: "failed"; readonly run: number; readonly error: Encoded }
  /** The answer is one that no other process can have. */
  | { readonly type: "unanswerable"; readonly run: number; readonly error: Encoded }
  /** The answer is a stream, whose items are pulled. */
  | { readonly type: "streams"; readonly run: number }
  /** `init` has returned `ignore()`. */
  | { readonly type: "ignored"; readonly run: number }
  | { readonly type: "item"; readonly run: number; readonly value: Encoded }
  /** The next item is one that no other process can have; the stream goes on until it is told to end. */
  | { readonly type: "item_refused"; readonly run: number; readonly error: Encoded }
  | { readonly type: "item_done"; readonly run: number }
  | { readonly type: "item_failed"; readonly run: number; readonly error: Encoded }
  /** Blocks the process until the answer is there. */
  | ({ readonly type: "ask" } & ProcessRequest)
  | ({ readonly type: "begin"; readonly request: number } & ProcessRequest)
  /** What was begun is given up. */
  | { readonly type: "give_up"; readonly request: number }
  /** The stream's reader has read so many. */
  | { readonly type: "grant"; readonly request: number; readonly items: number }
  | { readonly type: "reply"; readonly deferred: number; readonly failed: boolean; readonly value: Encoded }
  /** The deferred reply is a stream, which is that of the run -`deferred`. */
  | { readonly type: "reply_stream"; readonly deferred: number }
  | { readonly type: "log"; readonly level: LogLevel; readonly atMs: number; readonly line: Encoded }
  | { readonly type: "figures"; readonly figures: ProcessFigures }
  /** A part of a heap snapshot; without `chunk` it was the last. */
  | { readonly type: "snapshot"; readonly request: number; readonly chunk?: Uint8Array; readonly failure?: string }
  /** A CPU profile. */
  | { readonly type: "looked"; readonly request: number; readonly failed: boolean; readonly value: Encoded }
  /** The process will exit for this reason. */
  | { readonly type: "exiting"; readonly reason: Encoded };

/** The answer to `ask`. */
export interface ProcessAnswer {
  readonly failed: boolean;
  readonly value: Encoded;
}
