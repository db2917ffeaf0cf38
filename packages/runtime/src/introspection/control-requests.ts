import { ActorError, describeExit, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { uncloneableFor } from "@mini-otp/worker-host/protocol/refs";
import { systemClock, type Timer } from "../supervision/clock.js";
import { afterRunning } from "../supervision/running-time.js";

interface Open {
  /** Who is asked. */
  readonly id: string;
  readonly what: string;
  readonly timer: Timer;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Main's open requests to one actor's thread. Each settles once: by its answer, its timeout, or the thread's exit. */
export class ControlRequests {
  readonly #id: string;
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(id: string) {
    this.#id = id;
  }

  /** `send` gets the number that the answer must name. */
  ask(what: string, timeoutMs: number, send: (request: number) => void, id = this.#id): Promise<unknown> {
    const request = ++this.#last;
    return new Promise((resolve, reject) => {
      const timer = afterRunning(systemClock, timeoutMs, () => {
        this.#open.delete(request);
        const message = `id=${id} ${what}: no answer within timeoutMs=${timeoutMs}`;
        reject(new ActorError("ERR_CALL_TIMEOUT", message, { id, method: what, timeoutMs }));
      });
      this.#open.set(request, { id, what, timer, resolve, reject });
      send(request);
    });
  }

  /** It has not settled. */
  waits(request: number): boolean {
    return this.#open.has(request);
  }

  answer(request: number, failed: boolean, value: unknown): void {
    const open = this.#open.get(request);
    if (open === undefined) return;
    this.#open.delete(request);
    open.timer.cancel();
    if (failed) open.reject(uncloneableFor({ id: open.id, method: open.what }, value));
    else open.resolve(value);
  }

  threadExited(reason: ExitReason): void {
    for (const [request, { id, what }] of this.#open) {
      const message = `id=${id} ${what}: the actor exited before it answered: ${describeExit(reason)}`;
      this.answer(request, true, new ActorError("ERR_CALL_EXIT", message, { id, method: what, reason }));
    }
  }
}
