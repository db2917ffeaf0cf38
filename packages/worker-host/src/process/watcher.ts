import { Session } from "node:inspector";
import { Socket } from "node:net";
import { type MessagePort, workerData } from "node:worker_threads";
import { COLLECT_HOOK, LOOK_HOOK, type Look, WATCHER_FD, type WatcherWord } from "../protocol/port/process.js";
import { endProcess } from "./end-process.js";
import { FrameReader } from "./frames.js";
import type { LookStep } from "./looks.js";

/*
 * The watcher's thread of a pool's or an actor's process: ends the process when main, or the
 * actor's thread, has ended, holds its resident memory to the
 * cap, and has its main thread looked into. It answers also while the process's main thread is inside native code.
 */

export interface WatcherData {
  /** The watcher posts two messages: it has started, and it has measured what the process has. */
  readonly port: MessagePort;
}

/** Begins the watch over memory. */
export interface CapOrder {
  /** See PoolProcessData. */
  readonly capMb: number;
}

/** Of the main thread, which no inspector reaches. */
export interface LookOrder {
  readonly step: LookStep;
  readonly request: number;
}

const BYTES_PER_MB = 1024 * 1024;
/** A process that runs nothing grows by so much: compiled code, and pages of Node's that were not read before. */
const OWN_MB = 8;
/** How often it looks: over half of the cap, and at most. */
const NEAR_MS = 5;
const FAR_MS = 40;
/** Garbage is given this long to be collected. A main thread that does not answer is in native code. */
const COLLECT_MS = 200;
/** Above this share of the cap nothing is collected first: so much garbage is not made between two looks. */
const TOO_MUCH = 3;
/** After a collection that has brought the process under its cap. */
const REST_MS = 50;
/** A look has found Node in a moment in which it may not be interrupted. */
const AGAIN_MS = 1;
/** Until main has read the last word. */
const LAST_WORD_MS = 100;

const { port } = workerData as WatcherData;
// It never ends before main does: nothing else has the other end.
const pipe = new Socket({ fd: WATCHER_FD, readable: true, writable: true });
pipe.on("error", () => {});
pipe.once("close", endProcess);
const looks = new FrameReader((look) => lookInto(look as Look));
pipe.on("data", (chunk: Buffer) => looks.push(chunk));

let baseMb = 0;
let capMb = Infinity;
/** Snapshots that are being taken: their memory is not the user's. */
let snapshots = 0;
port.once("message", (order: CapOrder) => {
  baseMb = usedMb();
  capMb = order.capMb;
  port.postMessage("measured");
  look();
});
port.postMessage("started");

function usedMb(): number {
  return process.memoryUsage.rss() / BYTES_PER_MB - baseMb;
}

function look(): void {
  if (snapshots > 0 || !isOver(1)) lookLater(usedMb() > capMb / 2 ? NEAR_MS : FAR_MS);
  else if (isOver(TOO_MUCH)) end();
  else collectGarbage(judge);
}

/** What is left counts. */
function judge(): void {
  if (isOver(1)) end();
  else lookLater(REST_MS);
}

function lookLater(ms: number): void {
  setTimeout(look, ms);
}

function isOver(share: number): boolean {
  return usedMb() - OWN_MB > capMb * share;
}

function end(): void {
  pipe.write(JSON.stringify({ usedMb: usedMb() - OWN_MB } satisfies WatcherWord), endProcess);
  setTimeout(endProcess, LAST_WORD_MS);
}

/** The main thread's, by its inspector. `then` is called when that is done, or its time is over. */
function collectGarbage(then: () => void): void {
  // With Node's permission model there is no inspector: what V8 has not collected in this time counts.
  if (!evaluate(`globalThis[Symbol.for(${JSON.stringify(COLLECT_HOOK)})]()`, COLLECT_MS, then))
    setTimeout(then, COLLECT_MS);
}

/**
 * On the main thread, by its inspector, in the middle of what runs there. `then` is called with the value when that is done,
 * or after `limitMs`. False where there is no inspector.
 */
function evaluate(expression: string, limitMs: number, then: (value?: unknown) => void): boolean {
  const session = new Session();
  let isDone = false;
  const done = (value?: unknown): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    session.disconnect();
    then(value);
  };
  const timer = limitMs === Infinity ? undefined : setTimeout(done, limitMs);
  try {
    session.connectToMainThread();
    session.post("Runtime.evaluate", { expression }, (_error, answer) => done(answer?.result.value));
    return true;
  } catch {
    clearTimeout(timer);
    return false;
  }
}

function lookInto(look: Look): void {
  const { what, request } = look;
  if (what === "cpu_profile") {
    take("begin_profile", request, () => setTimeout(() => take("end_profile", request, () => {}), look.ms));
    return;
  }
  const beforeMb = usedMb();
  snapshots++;
  take("heap_snapshot", request, () =>
    collectGarbage(() => {
      snapshots--;
      // What the allocator keeps of it.
      baseMb += Math.max(0, usedMb() - beforeMb);
    }),
  );
}

/** Between two turns of the main thread where there is no inspector. */
function take(step: LookStep, request: number, then: () => void): void {
  const call = `globalThis[Symbol.for(${JSON.stringify(LOOK_HOOK)})](${JSON.stringify(step)}, ${request}, true)`;
  const done = (value?: unknown): void => {
    if (value === false) setTimeout(() => take(step, request, then), AGAIN_MS);
    else then();
  };
  if (evaluate(call, Infinity, done)) return;
  port.postMessage({ step, request } satisfies LookOrder);
  then();
}
