import type { Mail } from "@mini-otp/worker-host/loop";
import { Queue } from "@mini-otp/worker-host/protocol/calls";
import type { InlineCall } from "./inline-call.js";

export interface InlineMessage {
  /** Empty for `info`. */
  readonly method: string;
  readonly args: readonly unknown[];
  readonly call?: InlineCall;
}

/** The messages that an inline actor has accepted. It outlives the actor's incarnations. */
export class InlineMailbox implements Mail {
  /** How many messages of any kind the actor has handled. */
  handled = 0;
  #waiting = new Queue<InlineMessage>();
  #current: InlineMessage | undefined;

  get length(): number {
    return this.#waiting.length;
  }

  /** The message that `next` has moved to. */
  get current(): InlineMessage {
    return this.#current as InlineMessage;
  }

  push(message: InlineMessage): void {
    this.#waiting.push(message);
  }

  next(): boolean {
    this.#current = this.#waiting.shift();
    return this.#current !== undefined;
  }

  /** The calls that no incarnation has begun to handle. */
  calls(): ReadonlySet<InlineCall | undefined> {
    return new Set([...this.#waiting].map(({ call }) => call));
  }

  clear(): void {
    this.#waiting = new Queue();
  }
}
