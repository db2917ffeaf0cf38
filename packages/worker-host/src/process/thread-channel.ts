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
import { readFrame } from "./frames.js";
import { say } from "./out-pipe.js";

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

  use(codec: Codec): void {
    this.#codec = codec;
  }

  /** Blocks only while the thread is behind. */
  post(message: FromActorProcess): void {
    say(message);
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
