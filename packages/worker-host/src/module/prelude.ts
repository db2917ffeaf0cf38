import { syncBuiltinESMExports } from "node:module";
import v8 from "node:v8";
import type { MessagePort } from "node:worker_threads";
import { ActorError } from "../protocol/errors/errors.js";
import { GUARD_HOOK } from "../protocol/port/boot.js";
import { type CollectGarbage, garbageCollector } from "../protocol/port/garbage-collector.js";
import type { ToMain } from "../protocol/port/messages.js";
import { watchChildProcesses } from "./child-processes.js";
import { sendHeapSnapshot } from "./heap-snapshot.js";
import { UnseenMemory } from "./unseen-memory.js";

/*
 * What is done to a thread before an actor's module is loaded: main's guard gets its hook, and functions that
 * act on the whole process are kept from doing so by mistake. What Node refuses in every worker by itself
 * (process.abort, process.chdir, the set of user ids) is left to Node.
 */

const { getHeapStatistics } = v8;
const SHORT_COLLECTION_MS = 100;

/** Once, before anything of the actor's is loaded. A pool's thread has no port to main. */
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
  // Young garbage first: that takes a moment, and is mostly all there is. A full collection that ends an incremental
  // marking under way keeps what was allocated since that began, and buffers are given back only at the collection
  // after the one that found them dropped: then a second one tells. Not after a long one, of many objects: the
  // actor was collected before, half way to its cap, so V8 has not begun to mark.
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
  const snapshot = (request: number): void => void (port && sendHeapSnapshot(port, request));
  Object.defineProperty(globalThis, Symbol.for(GUARD_HOOK), { value: Object.freeze({ memory, collect, snapshot }) });
}

function keepWithinThread(): void {
  const { kill } = process;
  process.kill = (pid: number, signal?: string | number): true => {
    // 0 is the process group, which main is in; signal 0 only asks whether the process is there.
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
