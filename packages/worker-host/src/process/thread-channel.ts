import {
  type FromActorProcess,
  type ProcessAnswer,
  type ProcessRequest,
  REQUESTS_FD,
  type ToActorProcess,
} from "../protocol/port/process.js";
import { whenAborted } from "../protocol/refs/when-aborted.js";
import type { Codec } from "../protocol/values/codec.js";
import { payloadOf } from "../protocol/values/encoded.js";
import { endProcess } from "./end-process.js";
import { readFrame, writeFrame } from "./frames.js";

interface Waiting {
  settled(failed: boolean, value: unknown): void;
  item(value: unknown, bytes: number): void;
}

const noItems = (): void => {};

/** A process's way to its actor's thread: what it says there keeps its order, and what it asks may block. */
export class ThreadChannel {
  readonly #waiting = new Map<number, Waiting>();
  #codec: Codec | undefined;
  #lastRequest = 0;
  #isWriting = false;
  readonly #later: FromActorProcess[] = [];

  use(codec: Codec): void {
    this.#codec = codec;
  }

  /** Blocks only while the thread is behind. A look that interrupts this does not cut the message that is being written. */
  post(message: FromActorProcess): void {
    this.#later.push(message);
    // The look may come anywhere: what it adds after the last look at the list is written by the next round here.
    while (!this.#isWriting && this.#later.length > 0) {
      this.#isWriting = true;
      try {
        for (let next = this.#later.shift(); next !== undefined; next = this.#later.shift()) this.#write(next);
      } finally {
        this.#isWriting = false;
      }
    }
  }

  #write(message: FromActorProcess): void {
    try {
      writeFrame(REQUESTS_FD, message);
    } catch (error) {
      // Its thread has ended, and so does the process.
      if ((error as { code?: string }).code !== "EPIPE") throw error;
      endProcess();
    }
  }

  /** Blocks until the thread has answered. Returns the answer, or throws it. */
  ask(request: ProcessRequest): unknown {
    this.post({ type: "ask", ...request });
    const answer = readFrame(REQUESTS_FD) as ProcessAnswer | undefined;
    if (answer === undefined) return endProcess();
    const value = this.#decoded(answer);
    if (answer.failed) throw value;
    return value;
  }

  /** `signal` gives it up; its outcome still comes. */
  begin(request: ProcessRequest, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let release: (() => void) | undefined;
      const number = this.open(request, {
        settled: (failed, value) => {
          release?.();
          if (failed) reject(value);
          else resolve(value);
        },
        item: noItems,
      });
      const giveUp = (): void => this.post({ type: "give_up", request: number });
      if (signal?.aborted === true) giveUp();
      else if (signal !== undefined) release = whenAborted(signal, giveUp);
    });
  }

  /** Returns the number of the request. */
  open(request: ProcessRequest, waiting: Waiting): number {
    const number = ++this.#lastRequest;
    this.#waiting.set(number, waiting);
    this.post({ type: "begin", request: number, ...request });
    return number;
  }

  take(message: Extract<ToActorProcess, { type: "settled" | "item" }>): void {
    const waiting = this.#waiting.get(message.request);
    if (message.type === "item") {
      waiting?.item(this.#codec?.decodeValue(payloadOf(message.item)), message.item.bytes.length);
      return;
    }
    this.#waiting.delete(message.request);
    waiting?.settled(message.failed, this.#decoded(message));
  }

  #decoded({ value }: ProcessAnswer): unknown {
    return this.#codec?.decodeValue(payloadOf(value));
  }
}
