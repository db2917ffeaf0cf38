import v8 from "node:v8";
import type { MessagePort } from "node:worker_threads";
import type { ToMain } from "../protocol/port/messages.js";

const { getHeapSnapshot } = v8;
const CHUNK_BYTES = 1024 * 1024;

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
function heapSnapshot(): Uint8Array<ArrayBuffer>[] {
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
