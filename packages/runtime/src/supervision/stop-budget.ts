import { NORMAL } from "@mini-otp/worker-host/protocol/errors";
import type { Shutdown, StopOutcome, StopRequest } from "./child.js";

export const NOTHING_LEFT: StopOutcome = Object.freeze({
  reason: NORMAL,
  drained: 0,
  dropped: 0,
  killed: false,
  zombie: false,
});

/** How long a child may take to stop by its own spec. */
export function demandMs(shutdown: Shutdown): number {
  return shutdown === "infinity" ? Infinity : shutdown === "brutal_kill" ? 0 : shutdown;
}

/**
 * The part of `remainingMs` that a child may take to stop, when the children that stop after it ask for `othersMs`
 * together. If the time is enough for all, the child gets all that it asks for. Otherwise the time is divided in
 * proportion to the demands. Time that it does not use goes to the children after it.
 */
export function shareOf(remainingMs: number, demandMs: number, othersMs: number): number {
  const total = demandMs + othersMs;
  const left = Math.max(0, remainingMs);
  return total <= left ? demandMs : (left * demandMs) / total;
}

/** The time by which a child must have ended when it is asked to stop at `now`. */
export function limitAt({ shutdown, deadlineAt = Infinity }: StopRequest, now: number): number {
  return Math.min(deadlineAt, now + demandMs(shutdown));
}

/** The outcomes of a supervisor's children as one. */
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
