import type { Readable, Writable } from "node:stream";

/*
 * A thread's output goes to main's stdout and stderr. Node would use a pipe, and a pipe turns an error of its target (a
 * full disk, a reader that has gone) into an uncaught error that ends the process. This module writes as `console.log`
 * does on main: output that the target refuses is lost, and main's own writes fail as they always did.
 */

const OUTPUTS = ["stdout", "stderr"] as const;
/** The threads that wait until a stream of main's has room, by stream. */
const waiting = new Map<Writable, Set<Readable>>();

/** Of a thread or a process. */
export function forwardOutput(worker: { readonly stdout: Readable; readonly stderr: Readable }): void {
  for (const output of OUTPUTS) forward(worker[output], process[output]);
}

function forward(from: Readable, to: Writable): void {
  from.unpipe(to);
  from.on("data", (chunk: Buffer) => {
    let settled = false;
    const hasRoom = to.write(chunk, (error) => {
      settled = true;
      if (error) swallow(to);
      goOn(to);
    });
    if (hasRoom || settled) return;
    from.pause();
    waitersFor(to).add(from);
  });
  from.resume();
}

/** The stream emits this error next, before any other event. */
function swallow(to: Writable): void {
  if (to.listenerCount("error") > 0) return;
  const ignore = (): void => {};
  to.once("error", ignore);
  setImmediate(() => to.off("error", ignore));
}

/** Runs after every write, also one that failed, because a stream with an error emits no "drain". */
function goOn(to: Writable): void {
  if (to.writableLength >= to.writableHighWaterMark) return;
  const readers = [...waitersFor(to)];
  waitersFor(to).clear();
  for (const from of readers) from.resume();
}

function waitersFor(to: Writable): Set<Readable> {
  const known = waiting.get(to) ?? new Set();
  waiting.set(to, known);
  return known;
}
