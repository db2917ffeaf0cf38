import { whenAborted } from "@mini-otp/worker-host/protocol/calls";
import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import { DEFAULT_CALL_TIMEOUT_MS, type RefOptions } from "@mini-otp/worker-host/protocol/refs";
import type { Clock } from "../supervision/clock.js";

/** A call on its way to an actor on this thread. Settles once. */
export class InlineCall {
  readonly method: string;
  readonly outcome: Promise<unknown>;
  /** The reply is not what the handler returns. */
  deferred = false;
  settled = false;
  #settle!: (value: unknown) => void;
  #fail!: (error: unknown) => void;
  readonly #cleanUp: () => void;

  /** `givenUp` is called when the caller stops waiting. */
  constructor(id: string, method: string, options: RefOptions, clock: Clock, givenUp: () => void) {
    const { timeoutMs = DEFAULT_CALL_TIMEOUT_MS, signal } = options;
    this.method = method;
    this.outcome = new Promise((settle, fail) => {
      this.#settle = settle;
      this.#fail = fail;
    });
    const abort = (): void => {
      this.fail(
        new ActorError("ERR_CALL_ABORTED", `id=${id} method=${method}: the call was aborted`, {
          id,
          method,
          cause: signal?.reason,
        }),
      );
      givenUp();
    };
    const expire = (): void => {
      const message = `id=${id} method=${method}: no reply within timeoutMs=${timeoutMs}`;
      this.fail(new ActorError("ERR_CALL_TIMEOUT", message, { id, method, timeoutMs }));
    };
    const timer = timeoutMs === Infinity ? undefined : clock.setTimer(timeoutMs, expire);
    const release = signal === undefined ? undefined : whenAborted(signal, abort);
    this.#cleanUp = () => {
      timer?.cancel();
      release?.();
    };
    if (signal?.aborted === true) abort();
  }

  settle(value: unknown): void {
    if (this.#isFirst()) this.#settle(value);
  }

  fail(error: unknown): void {
    if (this.#isFirst()) this.#fail(error);
  }

  #isFirst(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#cleanUp?.();
    return true;
  }
}
