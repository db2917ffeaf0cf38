import { writeSync } from "node:fs";

const STDERR = 2;
/** So much may wait for a pipe that is full. */
const MAX_WAITING_BYTES = 1024 * 1024;
const AGAIN_MS = 50;

interface Waiting {
  readonly bytes: Buffer;
  written: number;
}

/**
 * Where the default logger writes to: stderr, at once, so that the last lines of a process are there. Never throws,
 * and never waits: for a pipe that is full up to 1 MiB is kept for later; what a full disk or a closed pipe refuses
 * is lost, and counted.
 */
export class StderrLines {
  readonly #lost: () => void;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** The line before was cut off. */
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

  /** What can be written now. */
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
