import { ActorSystem, type SystemOptions } from "../actor-system.js";
import { type Clock, systemClock } from "../supervision/clock.js";

export interface TestSystemOptions extends SystemOptions {
  /** For restart windows, backoff, the deadline of `stop` and the time resources may take: `virtualClock()`. Default: the machine's own. */
  clock?: Clock;
  /** A number in [0, 1), for the jitter of backoff. Default: 0.5 always, which varies nothing. */
  random?: () => number;
}

/**
 * A system for tests: silent unless given a logger, without chance, and on a clock that the test moves. Threads,
 * calls, timers of actors and the time an actor has to stop go by real time all the same. Rejects as `startSystem`.
 */
export function startTestSystem(options: TestSystemOptions = {}): Promise<ActorSystem> {
  const { clock = systemClock, random = () => 0.5, ...rest } = options;
  return ActorSystem.start({ logger: false, ...rest }, { clock, random });
}
