import { writeSync } from "node:fs";
import { REQUESTS_FD } from "../protocol/port/process.js";
import { endProcess } from "./end-process.js";
import { writeFrame } from "./frames.js";

const CLOSED = `descriptor ${REQUESTS_FD}, by which this process tells the runtime what it does, was closed by its own code`;

const later: object[] = [];
let isWriting = false;

/**
 * Says it to what has started this process, before it returns. Blocks while the other side is behind. A look of the
 * inspector's that interrupts this does not cut the message that is being written.
 */
export function say(message: object): void {
  later.push(message);
  // The look may come anywhere: what it adds after the last look at the list is written by the next round here.
  while (!isWriting && later.length > 0) {
    isWriting = true;
    try {
      for (let next = later.shift(); next !== undefined; next = later.shift()) write(next);
    } finally {
      isWriting = false;
    }
  }
}

function write(message: object): void {
  try {
    writeFrame(REQUESTS_FD, message);
  } catch (error) {
    const { code } = error as { code?: string };
    // What reads it has ended, or the pipe was closed in this process: then nothing it does is known any more.
    if (code !== "EPIPE" && code !== "EBADF") throw error;
    if (code === "EBADF") complain();
    endProcess();
  }
}

function complain(): void {
  try {
    writeSync(2, `${CLOSED}\n`);
  } catch {
    // Its standard error may be full, or closed too.
  }
}
