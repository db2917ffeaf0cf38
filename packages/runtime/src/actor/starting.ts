import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { StartOutcome } from "../supervision/child.js";
import { systemClock, type Timer } from "../supervision/clock.js";
import { afterRunning } from "../supervision/running-time.js";
import type { StartTurn } from "../threads/start-gate.js";

/** A start that is under way. */
export class Starting {
  readonly outcome: Promise<StartOutcome<ActorRef>>;
  /** The start's place at the gate, where it waits for a thread. */
  turn: StartTurn | undefined;
  #timer: Timer | undefined;
  #resolve!: (outcome: StartOutcome<ActorRef>) => void;

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The thread is started: from now on the start's time runs, as long as main runs. */
  threadStarts(timeoutMs: number, timedOut: () => void): void {
    this.#timer = afterRunning(systemClock, timeoutMs, timedOut);
  }

  settle(outcome: StartOutcome<ActorRef>): void {
    this.#timer?.cancel();
    this.turn?.leave();
    this.#resolve(outcome);
  }
}
