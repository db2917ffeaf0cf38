import { aFunction, takeOptions } from "@mini-otp/worker-host/protocol/options";
import { aClock, type Clock, systemClock } from "../supervision/clock.js";
import { ActorSystem } from "../system/actor-system.js";
import { SYSTEM_OPTIONS } from "../system/system-option-fields.js";
import type { SystemOptions } from "../system/system-options.js";

/** What `startTestSystem` takes: the options of `startSystem`, and what a test puts in the machine's place. */
export interface TestSystemOptions extends SystemOptions {
  /** For restart windows, backoff, the deadline of `stop` and the time resources may take: `virtualClock()`. Default: the machine's own. */
  clock?: Clock;
  /** A number in [0, 1), for the jitter of backoff. Default: 0.5 always, which varies nothing. */
  random?: () => number;
}

const FIELDS = { ...SYSTEM_OPTIONS, clock: aClock, random: aFunction };

const running = new Set<ActorSystem>();

/**
 * A system for tests: silent unless given a logger, without chance, and on a clock that the test moves. Threads,
 * calls, timers of actors and the time an actor has to stop go by real time all the same. A root that gives up leaves
 * `process.exitCode` alone. Rejects as `startSystem`.
 */
export async function startTestSystem(options: TestSystemOptions = {}): Promise<ActorSystem> {
  const { clock = systemClock, random = () => 0.5, ...rest } = takeOptions("startTestSystem", options, FIELDS);
  const system = await ActorSystem.start({ logger: false, ...rest }, { clock, random, failProcess: () => {} });
  running.add(system);
  void system.terminated.then(() => running.delete(system));
  return system;
}

/** The one started last, of those that run. */
export function latestTestSystem(): ActorSystem | undefined {
  return [...running].at(-1);
}
