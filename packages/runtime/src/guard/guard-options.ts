import { totalmem } from "node:os";
import {
  BOUNDS,
  type Filled,
  group,
  integer,
  megabytes,
  oneOf,
  periodMs,
} from "@mini-otp/worker-host/protocol/options";
import { BYTES_PER_MB } from "./probe.js";

/** How the guard watches actors, and what it does when the process is over its budget. */
export interface GuardOptions {
  /** How often the guard looks at busy actors, in ms from 1 to 2^31 - 1. Default 5. */
  intervalMs?: number | undefined;
  /**
   * How far V8's own limit is above an actor's cap, in MiB. An actor that reaches V8's limit can end the process, so
   * the distance must be more than one operation allocates. A whole number from 16 to 65 536. Default 4 096; memory
   * that is not used costs nothing.
   */
  headroomMb?: number | undefined;
  /**
   * Memory budget of the whole process in MiB, at most 2^24. Default: 80 % of the memory of the machine or container.
   */
  totalMb?: number | undefined;
  /**
   * What to do about a thread that survives its kill. `"report"` (default): leave it behind. `"exit"`: stop all others
   * in order, then end the process.
   */
  onZombie?: "report" | "exit" | undefined;
  /**
   * What to do when memory that neither the actors' samples nor main's own numbers show puts the process over
   * `totalMb`: memory that native code allocates, for example. `"report"` (default): emit `memory_unattributed`, with
   * the actors that ran while it grew. `"kill_suspect"`: end the most suspect actor, which may be the wrong one.
   * `"exit"`: stop all in order, then end the process.
   */
  onUnattributed?: "report" | "kill_suspect" | "exit" | undefined;
}

export type FullGuardOptions = Filled<GuardOptions>;

/** The fields of the option `guard` of `startSystem`. */
export const GUARD_OPTIONS = group({
  intervalMs: periodMs,
  headroomMb: integer(BOUNDS.headroomMb),
  totalMb: megabytes(BOUNDS.totalMb),
  onZombie: oneOf("report", "exit"),
  onUnattributed: oneOf("report", "kill_suspect", "exit"),
});
const TOTAL_SHARE = 0.8;

/** Fills in the defaults. */
export function normaliseGuard(given: GuardOptions = {}): FullGuardOptions {
  return {
    intervalMs: given.intervalMs ?? 5,
    headroomMb: given.headroomMb ?? 4096,
    totalMb: given.totalMb ?? defaultTotalMb(),
    onZombie: given.onZombie ?? "report",
    onUnattributed: given.onUnattributed ?? "report",
  };
}

function defaultTotalMb(): number {
  const constrained = process.constrainedMemory();
  const bytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return (bytes / BYTES_PER_MB) * TOTAL_SHARE;
}
