import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { StartOutcome } from "../supervision/child.js";
import { systemClock, type Timer } from "../supervision/clock.js";
import { type Deferred, deferred } from "../supervision/deferred.js";
import { afterRunning } from "../supervision/running-time.js";
import type { StartTurn } from "../threads/start-gate.js";

/** A start that is under way. */
export class Starting {
  readonly #outcome: Deferred<StartOutcome<ActorRef>> = deferred();
  /** The start's place at the gate, where it waits for a thread. */
  turn: StartTurn | undefined;
  #timer: Timer | undefined;

  get outcome(): Promise<StartOutcome<ActorRef>> {
    return this.#outcome.promise;
  }

  /** The thread is started: from now on the start's time runs, as long as main runs. */
  threadStarts(timeoutMs: number, timedOut: () => void): void {
    this.#timer = afterRunning(systemClock, timeoutMs, timedOut);
  }

  settle(outcome: StartOutcome<ActorRef>): void {
    this.#timer?.cancel();
    this.turn?.leave();
    this.#outcome.resolve(outcome);
  }
}
