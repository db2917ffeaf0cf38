import type { ActorRef } from "@mini-otp/worker-host/protocol";
import type { StartOutcome } from "../supervision/child.js";
import type { StartTurn } from "../threads/start-gate.js";

/** A start that is under way. */
export class Starting {
  readonly outcome: Promise<StartOutcome<ActorRef>>;
  /** Where its thread waits to be started. */
  turn: StartTurn | undefined;
  /** `init` has returned `ignore()`. */
  ignored = false;
  #timer: NodeJS.Timeout | undefined;
  #resolve!: (outcome: StartOutcome<ActorRef>) => void;

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Its time runs from when its thread is started. */
  threadStarts(timeoutMs: number, timedOut: () => void): void {
    this.#timer = setTimeout(timedOut, timeoutMs);
  }

  settle(outcome: StartOutcome<ActorRef>): void {
    clearTimeout(this.#timer);
    this.turn?.leave();
    this.#resolve(outcome);
  }
}
