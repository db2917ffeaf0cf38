import v8 from "node:v8";
import type { MessagePort } from "node:worker_threads";
import type { ToMain } from "../protocol/port/messages.js";

const { getHeapSnapshot } = v8;
const CHUNK_BYTES = 1024 * 1024;

/** Node's functions that are told by one record of all streams how much has been read. */
const READS = /^\s*at (?:\S+\.)?(?:onStreamRead|onread) \(node:internal/;

/**
 * True where the inspector has interrupted a function of Node's at its entry that is about to look how much has been read.
 * A snapshot comes by a stream of Node's, and its end would be that function's: its socket, say, would have ended (Node 20
 * to 26). Ask again a moment later. `hook` is the function that the inspector has called.
 */
export function interruptsRead(hook: (...args: never[]) => unknown): boolean {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const at = { stack: "" };
  try {
    Error.stackTraceLimit = 2;
    Reflect.set(Error, "prepareStackTrace", undefined);
    Error.captureStackTrace(at, hook);
    // After the message and the inspector's own frame.
    return READS.test(at.stack.split("\n")[2] ?? "");
  } catch {
    // Frozen intrinsics.
    return false;
  } finally {
    Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
    Reflect.set(Error, "prepareStackTrace", prepareStackTrace);
  }
}

/** Answers main's request for a snapshot of this thread's heap, whatever its program does. */
export function sendHeapSnapshot(port: MessagePort, request: number): void {
  const type = "heap_snapshot";
  try {
    const chunks = heapSnapshot();
    port.postMessage(
      { type, request, chunks } satisfies ToMain,
      chunks.map(({ buffer }) => buffer),
    );
  } catch (error) {
    port.postMessage({ type, request, chunks: [], failure: String(error) } satisfies ToMain);
  }
}

/**
 * In V8's format, each chunk with memory of its own. The thread itself reads it: the snapshot lies in the heap of this
 * thread, which may end while main reads, and main would read freed memory.
 */
export function heapSnapshot(): Uint8Array<ArrayBuffer>[] {
  return withoutTicks(readSnapshot);
}

/**
 * Drops what `read` gives to `process.nextTick`. The inspector may interrupt the program inside Node's own tick queue,
 * between "the queue is empty" and "no tick is scheduled". A tick that is added there never runs, and no later tick of
 * the thread does. Node's streams take `process.nextTick` at each call (Node 20 to 26), for events that have no
 * listener here.
 */
function withoutTicks<T>(read: () => T): T {
  const { nextTick } = process;
  process.nextTick = () => {};
  try {
    return read();
  } finally {
    process.nextTick = nextTick;
  }
}

function readSnapshot(): Uint8Array<ArrayBuffer>[] {
  const stream = getHeapSnapshot();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  // V8 writes all of it before the first read returns.
  for (let chunk = stream.read(CHUNK_BYTES); chunk !== null; chunk = stream.read(CHUNK_BYTES)) {
    const ownsMemory = chunk.buffer.byteLength === chunk.length;
    chunks.push(ownsMemory ? chunk : new Uint8Array(chunk));
  }
  const end = String.fromCharCode(...(chunks.at(-1)?.subarray(-2) ?? []));
  if (!end.trimEnd().endsWith("}")) throw new Error("heapSnapshot: V8 has not written all of it");
  return chunks;
}
