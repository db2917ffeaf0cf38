import type { Readable, Writable } from "node:stream";
import type { Worker } from "node:worker_threads";

/*
 * What a thread prints goes to main's stdout and stderr. Node does that with a pipe, and a pipe hands an error of what
 * it leads to (a full disk, a reader that has gone) to the process, which ends of it. So it is done here, as
 * `console.log` does it on main: what is not taken is lost, and main's own writes fail as they always did.
 */

const OUTPUTS = ["stdout", "stderr"] as const;
/** By main's stream, the threads that wait until it has room. */
const waiting = new Map<Writable, Set<Readable>>();

export function forwardOutput(worker: Worker): void {
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

/** The stream emits this error next, before anything else comes to be. */
function swallow(to: Writable): void {
  if (to.listenerCount("error") > 0) return;
  const ignore = (): void => {};
  to.once("error", ignore);
  setImmediate(() => to.off("error", ignore));
}

/** Called after every write, failed or not: a stream with an error does not say that it has room again. */
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
