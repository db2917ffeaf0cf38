import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { ProbedThread } from "../guard/probe.js";
import { HOOK, sharedInspector } from "../guard/probe-inspector.js";
import { ATTACH_MS } from "./cpu-profile.js";

const AGAIN_MS = 1;

/**
 * Makes the thread take a heap snapshot and send it, also in the middle of a handler. A thread that no inspector
 * reaches is asked by `ask`, and answers between two messages.
 */
export async function requestHeapSnapshot(thread: ProbedThread, request: number, ask: () => void): Promise<void> {
  const { threadId } = thread;
  const inspector = sharedInspector();
  if (inspector === null || !(await inspector.attaches(threadId, ATTACH_MS))) return ask();
  const take = (): Promise<unknown> | undefined =>
    thread.ask(() => inspector.evaluate(threadId, `${HOOK}.snapshot(${request})`));
  // It has interrupted Node where it must not; the next attempt comes at another moment.
  while ((await take()) === false) await setTimeout(AGAIN_MS, undefined, { ref: false });
}

/** A stream of the chunks, which frees each chunk as it is read. */
export function readableOf(chunks: Uint8Array[]): Readable {
  return Readable.from(
    (function* () {
      for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk;
    })(),
    { objectMode: false },
  );
}
