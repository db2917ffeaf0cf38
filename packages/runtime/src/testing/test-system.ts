import { aFunction, takeOptions } from "@mini-otp/worker-host/protocol/options";
import { aClock, type Clock, systemClock } from "../supervision/clock.js";
import { ActorSystem } from "../system/actor-system.js";
import { SYSTEM_OPTIONS } from "../system/system-option-fields.js";
import type { SystemOptions } from "../system/system-options.js";

/** What `startTestSystem` takes: the options of `startSystem`, and what a test puts in the machine's place. */
export interface TestSystemOptions extends SystemOptions {
  /**
   * The clock of restart windows, backoff, the deadline of `stop` and the time limits of resources, for example
   * `virtualClock()`. Default: the machine's clock.
   */
  clock?: Clock | undefined;
  /** Returns a number in [0, 1) for the jitter of backoff. Default: always 0.5, which varies nothing. */
  random?: (() => number) | undefined;
}

const FIELDS = { ...SYSTEM_OPTIONS, clock: aClock, random: aFunction };

const running = new Set<ActorSystem>();

/**
 * Starts a system for tests: it is silent unless it gets a logger, has no random delays, and can run on a clock that
 * the test moves. Threads, calls, timers of actors and the time in which an actor has to stop still use real time. A
 * root that gives up does not set `process.exitCode`. Rejects as `startSystem` does.
 */
export async function startTestSystem(options: TestSystemOptions = {}): Promise<ActorSystem> {
  const { clock = systemClock, random = () => 0.5, ...rest } = takeOptions("startTestSystem", options, FIELDS);
  const system = await ActorSystem.start({ logger: false, ...rest }, { clock, random, failProcess: () => {} });
  running.add(system);
  void system.terminated.then(() => running.delete(system));
  return system;
}

/** Of the test systems that run, the one that was started last. */
export function latestTestSystem(): ActorSystem | undefined {
  return [...running].at(-1);
}
