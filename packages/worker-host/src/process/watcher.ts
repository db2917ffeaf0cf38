import { Session } from "node:inspector";
import { Socket } from "node:net";
import { type MessagePort, workerData } from "node:worker_threads";
import { COLLECT_HOOK, WATCHER_FD, type WatcherWord } from "../protocol/port/process.js";
import { endProcess } from "./end-process.js";

/*
 * The watcher's thread of a pool's or an actor's process: ends the process when main, or the
 * actor's thread, has ended, and holds its resident memory to the
 * cap. It answers also while the process's main thread is inside native code.
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
/** Until main has read the last word. */
const LAST_WORD_MS = 100;

const { port } = workerData as WatcherData;
// It never ends before main does: nothing else has the other end.
const pipe = new Socket({ fd: WATCHER_FD, readable: true, writable: true });
pipe.on("error", () => {});
pipe.once("close", endProcess);
pipe.resume();

let baseMb = 0;
let capMb = Infinity;
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
  if (!isOver(1)) lookLater(usedMb() > capMb / 2 ? NEAR_MS : FAR_MS);
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
  const session = new Session();
  let isDone = false;
  const done = (): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    session.disconnect();
    then();
  };
  const timer = setTimeout(done, COLLECT_MS);
  try {
    session.connectToMainThread();
    session.post("Runtime.evaluate", { expression: `globalThis[Symbol.for(${JSON.stringify(COLLECT_HOOK)})]()` }, done);
  } catch {
    // With Node's permission model there is no inspector: what V8 has not collected in this time counts.
  }
}
