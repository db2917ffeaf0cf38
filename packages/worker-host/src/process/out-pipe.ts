import { REQUESTS_FD } from "../protocol/port/process.js";
import { endProcess } from "./end-process.js";
import { writeFrame } from "./frames.js";

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
    // What reads it has ended, and so does the process.
    if ((error as { code?: string }).code !== "EPIPE") throw error;
    endProcess();
  }
}
