import { syncBuiltinESMExports } from "node:module";
import v8 from "node:v8";
import type { MessagePort } from "node:worker_threads";
import { ActorError } from "../protocol/errors/errors.js";
import { GUARD_HOOK } from "../protocol/port/boot.js";
import { type CollectGarbage, garbageCollector } from "../protocol/port/garbage-collector.js";
import type { ToMain } from "../protocol/port/messages.js";
import { watchChildProcesses } from "./child-processes.js";
import { interruptsRead, sendHeapSnapshot } from "./heap-snapshot.js";
import { UnseenMemory } from "./unseen-memory.js";

/*
 * Prepares a thread before an actor's module is loaded: installs the hook of main's guard, and replaces functions that
 * would affect the whole process by mistake. Functions that Node itself refuses in every worker (process.abort,
 * process.chdir, those that set user ids) are left to Node.
 */

const { getHeapStatistics } = v8;
const SHORT_COLLECTION_MS = 100;

let lastWords = (_force: boolean, _weigh: boolean): string => "nothing";

/**
 * What main's guard has the thread write out before it kills it. Set by a partition. `force`: whatever runs now; `weigh`:
 * with the member that holds most of its memory.
 */
export function writeLastWords(write: (force: boolean, weigh: boolean) => string): void {
  lastWords = write;
}

/** Call it once, before any code of the actor is loaded. A pool's thread has no port to main. */
export function prepareThread(offHeapCapMb: number, port?: MessagePort): void {
  const report = (bytes: number): void => port?.postMessage({ type: "unseen_memory", bytes } satisfies ToMain);
  installGuardHook(new UnseenMemory(offHeapCapMb, report), port);
  keepWithinThread();
  if (port !== undefined) {
    const tell = (pid: number, ended: boolean) =>
      port.postMessage({ type: "child_process", pid, ended } satisfies ToMain);
    watchChildProcesses(
      (pid) => tell(pid, false),
      (pid) => tell(pid, true),
    );
  }
  syncBuiltinESMExports();
}

function installGuardHook(unseen: UnseenMemory, port: MessagePort | undefined): void {
  let primed = false;
  let collectGarbage: CollectGarbage | undefined;
  const memory = (): string => {
    const { used_heap_size, external_memory } = getHeapStatistics();
    return `${used_heap_size},${external_memory},${unseen.bytes}`;
  };
  // Young garbage first: that is quick, and usually frees enough. A full collection that completes an incremental
  // marking keeps what was allocated since the marking began, and buffers are freed only by the collection after the
  // one that found them unreachable: then a second one gives the true number. After a long collection of many objects
  // no second one runs for the heap: the actor was collected half way to its cap, so V8 has not begun to mark.
  const collect = (heapLimitBytes: number, offHeapLimitBytes: number): string => {
    collectGarbage ??= garbageCollector();
    const over = (): boolean => getHeapStatistics().used_heap_size > heapLimitBytes;
    const overOffHeap = (): boolean => getHeapStatistics().external_memory + unseen.bytes > offHeapLimitBytes;
    collectGarbage({ type: "minor" });
    if (primed && !over() && !overOffHeap()) return memory();
    primed = true;
    const startedMs = performance.now();
    const collectAll = (): void => {
      collectGarbage?.();
      unseen.recount();
    };
    collectAll();
    const wasShort = performance.now() - startedMs < SHORT_COLLECTION_MS;
    if (overOffHeap() || (over() && wasShort)) collectAll();
    return memory();
  };
  const save = (force: boolean, weigh: boolean): string => lastWords(force, weigh);
  /** False: ask again. */
  const snapshot = (request: number): boolean => {
    if (interruptsRead(snapshot)) return false;
    if (port !== undefined) sendHeapSnapshot(port, request);
    return true;
  };
  Object.defineProperty(globalThis, Symbol.for(GUARD_HOOK), {
    value: Object.freeze({ memory, collect, snapshot, save }),
  });
}

function keepWithinThread(): void {
  const { kill } = process;
  process.kill = (pid: number, signal?: string | number): true => {
    // Pid 0 is the process group of main; signal 0 only asks whether the process exists.
    const own = pid === process.pid || pid === 0 || pid === -process.pid;
    if (own && signal !== 0)
      throw refused(`process.kill(${pid})`, "it would end every actor; ctx.stop() ends this one");
    return signal === undefined ? kill(pid) : kill(pid, signal);
  };
  v8.setFlagsFromString = (flags: string) => {
    throw refused(`v8.setFlagsFromString(${JSON.stringify(flags)})`, "V8's flags are those of every thread");
  };
}

function refused(what: string, why: string): ActorError {
  return new ActorError("ERR_WRONG_THREAD", `${what} in an actor: ${why}`);
}
