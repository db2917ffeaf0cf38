import { totalmem } from "node:os";
import { BOUNDS, group, integer, megabytes, oneOf, periodMs } from "@mini-otp/worker-host/protocol/options";
import { BYTES_PER_MB } from "./probe.js";

export interface GuardOptions {
  /** How often busy actors are looked at, in ms from 1 to 2^31 - 1. Default 5. */
  intervalMs?: number;
  /**
   * How far V8's own limit is above an actor's cap. Reaching V8's limit can end the process: it must have room for
   * what one operation allocates. A whole number from 16 to 65 536. Default 4 096; memory that is not used costs nothing.
   */
  headroomMb?: number;
  /** Bound of the whole process in MiB, at most 2^24. Default: 80 % of what the machine or its container has. */
  totalMb?: number;
  /**
   * What to do about a thread that survives its kill. `"report"` (default): leave it behind. `"exit"`: stop the
   * others in order, then leave the process.
   */
  onZombie?: "report" | "exit";
  /**
   * What to do when the process is over `totalMb` for memory that is in no numbers of the actors' or main's, as what
   * native code allocates. `"report"` (default): tell it by `memory_unattributed`, with who ran while it grew.
   * `"kill_suspect"`: end the most suspect actor; it may be the wrong one. `"exit"`: stop all in order, then leave the
   * process.
   */
  onUnattributed?: "report" | "kill_suspect" | "exit";
}

export type FullGuardOptions = Required<GuardOptions>;

/** What `startSystem` takes as `guard`. */
export const GUARD_OPTIONS = group({
  intervalMs: periodMs,
  headroomMb: integer(BOUNDS.headroomMb),
  totalMb: megabytes(BOUNDS.totalMb),
  onZombie: oneOf("report", "exit"),
  onUnattributed: oneOf("report", "kill_suspect", "exit"),
});
const TOTAL_SHARE = 0.8;

/** With the defaults filled in. */
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
