import { NORMAL } from "@mini-otp/worker-host/protocol/errors";
import type { Shutdown, StopOutcome, StopRequest } from "./child.js";

export const NOTHING_LEFT: StopOutcome = Object.freeze({
  reason: NORMAL,
  drained: 0,
  dropped: 0,
  killed: false,
  zombie: false,
});

/** How long a child may take to stop, as far as its own spec goes. */
export function demandMs(shutdown: Shutdown): number {
  return shutdown === "infinity" ? Infinity : shutdown === "brutal_kill" ? 0 : shutdown;
}

/**
 * How much of `remainingMs` the child that is stopped now may take, while others still have to stop after it who
 * ask for `othersMs` together. If there is enough for everyone, all that it asks for; otherwise the time is divided
 * in proportion to what each asks for. What it leaves over goes to those after it.
 */
export function shareOf(remainingMs: number, demandMs: number, othersMs: number): number {
  const total = demandMs + othersMs;
  const left = Math.max(0, remainingMs);
  return total <= left ? demandMs : (left * demandMs) / total;
}

/** The moment by which a child has to have ended that is asked to stop at `now`. */
export function limitAt({ shutdown, deadlineAt = Infinity }: StopRequest, now: number): number {
  return Math.min(deadlineAt, now + demandMs(shutdown));
}

/** What became of a supervisor's children, taken together. */
export function totalOf(outcomes: readonly StopOutcome[]): StopOutcome {
  const sum = (count: (outcome: StopOutcome) => number) =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  return {
    reason: NORMAL,
    drained: sum(({ drained }) => drained),
    dropped: sum(({ dropped }) => dropped),
    killed: outcomes.some(({ killed }) => killed),
    zombie: outcomes.some(({ zombie }) => zombie),
  };
}
