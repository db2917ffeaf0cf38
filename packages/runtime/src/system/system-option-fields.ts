import { checkExitReason, type ExitReason, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import {
  aName,
  aSignal,
  BOUNDS,
  duration,
  type Fields,
  field,
  integer,
  or,
  periodMs,
  takeOptions,
  timerMs,
} from "@mini-otp/worker-host/protocol/options";
import { DEV_OPTIONS } from "../dev/dev-options.js";
import { GUARD_OPTIONS } from "../guard/guard-options.js";
import { aLogger } from "../reporting/logger.js";
import { SUPERVISOR_FLAGS } from "../supervision/normalise-spec.js";
import type { StopOptions, SystemOptions, UpgradeOptions } from "./system-options.js";

/** What `startSystem` takes. */
export const SYSTEM_OPTIONS: Fields = {
  name: aName,
  ...SUPERVISOR_FLAGS,
  callTimeoutMs: or(timerMs, Infinity),
  spares: integer(BOUNDS.spareThreads),
  logger: aLogger,
  guard: GUARD_OPTIONS,
  dev: DEV_OPTIONS,
};

/** How long a tree may take to stop: what is longer than a timer can be is waited for all the same. */
export const stopTimeoutMs = duration("milliseconds, 0 or more, or Infinity");

const STOP: Fields = {
  timeoutMs: stopTimeoutMs,
  // What is wrong with a reason is said in its own words.
  reason: field("an exit reason", () => true),
};
const EVENTS: Fields = { signal: aSignal };
const UPGRADE: Fields = { timeoutMs: periodMs };

/** Throws ERR_INVALID_OPTION for options that do not exist, and for values that are none. */
export function takeSystemOptions(options: SystemOptions): SystemOptions {
  return takeOptions("startSystem", options, SYSTEM_OPTIONS);
}

/** Throws ERR_INVALID_OPTION. */
export function takeStopOptions(options: StopOptions): { readonly timeoutMs: number; readonly reason: ExitReason } {
  const { timeoutMs = Infinity, reason = SHUTDOWN } = takeOptions("stop", options, STOP, true);
  return { timeoutMs, reason: checkExitReason("stop", reason) };
}

/** Throws ERR_INVALID_OPTION. */
export function takeEventsOptions(options: { signal?: AbortSignal }): { signal?: AbortSignal } {
  return takeOptions("events", options, EVENTS);
}

/** Throws ERR_INVALID_OPTION. */
export function takeUpgradeOptions(options: UpgradeOptions): UpgradeOptions {
  return takeOptions("upgrade", options, UPGRADE, true);
}
