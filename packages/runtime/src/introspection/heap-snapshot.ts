import { Readable } from "node:stream";
import type { ProbedThread } from "../guard/probe.js";
import { HOOK, sharedInspector } from "../guard/probe-inspector.js";
import { ATTACH_MS } from "./cpu-profile.js";

/**
 * Has the thread take a snapshot of its heap and send it, wherever its program stands. `ask` asks a thread that no
 * inspector reaches: it answers between two messages.
 */
export async function requestHeapSnapshot(thread: ProbedThread, request: number, ask: () => void): Promise<void> {
  const { threadId } = thread;
  const inspector = sharedInspector();
  if (inspector === null || !(await inspector.attaches(threadId, ATTACH_MS))) return ask();
  void thread.ask(() => inspector.evaluate(threadId, `${HOOK}.snapshot(${request})`));
}

/** Gives the chunks up as they are read. */
export function readableOf(chunks: Uint8Array[]): Readable {
  return Readable.from(
    (function* () {
      for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk;
    })(),
    { objectMode: false },
  );
}
