import { writeSync } from "node:fs";

export const STDERR = 2;
/** How much may wait for a full pipe. */
const MAX_WAITING_BYTES = 1024 * 1024;
const AGAIN_MS = 50;

interface Waiting {
  readonly bytes: Buffer;
  written: number;
}

/**
 * The default logger writes here: to stderr, synchronously, so that the last lines of a process are not lost. Never
 * throws, and never waits. For a full pipe it keeps up to 1 MiB for later. Lines that a full disk or a closed pipe
 * refuses are lost, and counted.
 */
export class StderrLines {
  readonly #lost: () => void;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** The last line was only partly written. */
  #torn = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(lost: () => void) {
    this.#lost = lost;
  }

  write(line: string): void {
    this.#flush();
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES && this.#waiting.length > 0) {
      this.#lost();
      return;
    }
    this.#waiting.push({ bytes, written: 0 });
    this.#waitingBytes += bytes.length;
    this.#flush();
  }

  /** Writes the lines that can be written now. */
  #flush(): void {
    for (let line = this.#waiting[0]; line !== undefined; line = this.#waiting[0]) {
      try {
        line.written += writeSync(STDERR, line.bytes, line.written);
        if (line.written < line.bytes.length) continue;
        this.#torn = false;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EAGAIN") {
          this.#timer ??= setTimeout(() => this.#again(), AGAIN_MS).unref();
          return;
        }
        this.#torn ||= line.written > 0;
        this.#lost();
      }
      this.#waiting.shift();
      this.#waitingBytes -= line.bytes.length;
    }
  }

  #again(): void {
    this.#timer = undefined;
    this.#flush();
  }
}
