import { type ExitReason, KILLED, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";

/** The promise of `start`: open; open, and it will resolve with `ignored`; settled. */
type Start = "open" | "ignored" | "settled";

/** The phase of one incarnation. It has a thread in `starting`, `running`, `stopping`, `swapping` and `killed`. */
export type LifePhase =
  | { readonly kind: "new" }
  /** The start waits for its turn. */
  | { readonly kind: "waiting" }
  /** The thread loads the module and runs `init`. */
  | { readonly kind: "starting"; readonly start: "open" | "ignored" }
  | { readonly kind: "running" }
  /** The thread was asked to stop. */
  | { readonly kind: "stopping" }
  /** An upgrade is committed: the former thread leaves, and the new one waits for that. */
  | { readonly kind: "swapping"; readonly isStopping: boolean }
  /** The runtime ends the thread for this reason. */
  | { readonly kind: "killed"; readonly reason: ExitReason; readonly start: Start; readonly isStopping: boolean }
  | { readonly kind: "ended" };

export interface LifeState {
  readonly phase: LifePhase;
  /** The reason that its thread reported; once it has ended, its exit reason. */
  readonly reported: ExitReason | undefined;
}

export type LifeEvent =
  | { readonly kind: "start" }
  /** The start's turn has come: its thread runs. */
  | { readonly kind: "thread_started" }
  /** `init` returned `ignore()`. */
  | { readonly kind: "ignored" }
  /** `init` is done; or an upgrade's new thread has taken over. */
  | { readonly kind: "initialised" }
  /** The thread says why it is about to end. */
  | { readonly kind: "reported"; readonly reason: ExitReason }
  /** `isBrutal`: without time to stop in order. */
  | { readonly kind: "stop"; readonly isBrutal: boolean }
  | { readonly kind: "kill"; readonly reason: ExitReason }
  /** An upgrade's new thread is ready. */
  | { readonly kind: "swap" }
  /** The former thread has left, and the new one has its place. */
  | { readonly kind: "swapped" }
  /** The thread has exited, or is given up. */
  | { readonly kind: "ended"; readonly reason: ExitReason };

/** What the shell is to do, in this order. */
export type LifeAction =
  | { readonly kind: "settle_start"; readonly outcome: "started" }
  | { readonly kind: "settle_start"; readonly outcome: "ignored" }
  | { readonly kind: "settle_start"; readonly outcome: "failed"; readonly reason: ExitReason }
  | { readonly kind: "tell_supervisor"; readonly reason: ExitReason }
  /** A stop request reaches a start under way, a thread with no time left, or a thread that has time. */
  | { readonly kind: "give_up_start" | "kill_now" | "ask_to_stop" }
  /** Nothing runs: the stop is done. */
  | { readonly kind: "settle_stop" }
  | { readonly kind: "end_thread" };

export interface LifeTurn {
  readonly state: LifeState;
  readonly actions: readonly LifeAction[];
}

export const NEW_LIFE: LifeState = { phase: { kind: "new" }, reported: undefined };
const RUNNING: LifePhase = { kind: "running" };
const STOPPING: LifePhase = { kind: "stopping" };
const ENDED: LifePhase = { kind: "ended" };
const NOTHING: readonly LifeAction[] = [];

/** The state after an event, and the actions that follow. An event that a phase does not expect changes nothing. */
export function lifeStep(state: LifeState, event: LifeEvent): LifeTurn {
  const { phase } = state;
  switch (event.kind) {
    case "start":
      return phase.kind === "new" ? to(state, { kind: "waiting" }) : unchanged(state);
    case "thread_started":
      return phase.kind === "waiting" ? to(state, { kind: "starting", start: "open" }) : unchanged(state);
    case "ignored":
      return phase.kind === "starting" || (phase.kind === "killed" && phase.start === "open")
        ? to(state, { ...phase, start: "ignored" })
        : unchanged(state);
    case "initialised":
      // In `killed` this comes too late, and the start fails.
      return phase.kind === "starting"
        ? to(state, RUNNING, [{ kind: "settle_start", outcome: "started" }])
        : unchanged(state);
    case "reported":
      return hasThread(state) ? { state: { phase, reported: event.reason }, actions: NOTHING } : unchanged(state);
    case "stop":
      return stop(state, event.isBrutal);
    case "kill":
      return kill(state, event.reason);
    case "swap":
      return phase.kind === "running" ? to(state, { kind: "swapping", isStopping: false }) : unchanged(state);
    case "swapped":
      // The reason that the former thread reported is not the actor's.
      return phase.kind === "swapping"
        ? { state: { phase: phase.isStopping ? STOPPING : RUNNING, reported: undefined }, actions: NOTHING }
        : unchanged(state);
    case "ended":
      return end(state, event.reason);
  }
}

function stop(state: LifeState, isBrutal: boolean): LifeTurn {
  const { phase } = state;
  switch (phase.kind) {
    case "new":
    case "ended":
      return to(state, phase, [{ kind: "settle_stop" }]);
    case "waiting": {
      const { state: ended, actions } = end(state, KILLED);
      return { state: ended, actions: [...actions, { kind: "settle_stop" }] };
    }
    case "starting":
      return to(state, killed(phase, KILLED, true), [{ kind: "give_up_start" }]);
    case "killed": {
      const action = phase.start !== "settled" ? "give_up_start" : isBrutal ? "kill_now" : "ask_to_stop";
      return to(state, { ...phase, isStopping: true }, [{ kind: action }]);
    }
    default:
      if (isBrutal) return to(state, killed(phase, KILLED, true), [{ kind: "kill_now" }]);
      return to(state, phase.kind === "swapping" ? { ...phase, isStopping: true } : STOPPING, [
        { kind: "ask_to_stop" },
      ]);
  }
}

/** The first reason counts. Asking a thread again to end does no harm. */
function kill(state: LifeState, reason: ExitReason): LifeTurn {
  const { phase } = state;
  switch (phase.kind) {
    case "new":
    case "ended":
      return unchanged(state);
    case "waiting":
      return end(state, reason);
    case "killed":
      return to(state, phase, [{ kind: "end_thread" }]);
    default:
      return to(state, killed(phase, reason, isStopping(state)), [{ kind: "end_thread" }]);
  }
}

/** An open start fails. Otherwise the supervisor is told, unless it has asked for a stop and waits for its outcome. */
function end(state: LifeState, reason: ExitReason): LifeTurn {
  const { phase } = state;
  if (phase.kind === "new" || phase.kind === "ended") return unchanged(state);
  const ended: LifeState = { phase: ENDED, reported: reason };
  const start = startOf(phase);
  if (start === "ignored") return { state: ended, actions: [{ kind: "settle_start", outcome: "ignored" }] };
  if (start === "open") return { state: ended, actions: [{ kind: "settle_start", outcome: "failed", reason }] };
  return { state: ended, actions: isStopping(state) ? NOTHING : [{ kind: "tell_supervisor", reason }] };
}

export function hasThread({ phase: { kind } }: LifeState): boolean {
  return kind !== "new" && kind !== "waiting" && kind !== "ended";
}

/** `init` is done, and the thread has not ended. */
export function isRunning({ phase }: LifeState): boolean {
  switch (phase.kind) {
    case "running":
    case "stopping":
    case "swapping":
      return true;
    case "killed":
      return phase.start === "settled";
    default:
      return false;
  }
}

/** The promise of `start` is open. */
export function isStarting({ phase }: LifeState): boolean {
  return phase.kind !== "new" && phase.kind !== "ended" && startOf(phase) !== "settled";
}

/** A stop was asked for, and the thread has not ended. */
export function isStopping({ phase }: LifeState): boolean {
  return phase.kind === "stopping" || ((phase.kind === "swapping" || phase.kind === "killed") && phase.isStopping);
}

/** The reason that the runtime kills the thread for, if it does. */
export function orderedReason({ phase }: LifeState): ExitReason | undefined {
  return phase.kind === "killed" ? phase.reason : undefined;
}

/** Why it ended, or will end. */
export function reasonOf(state: LifeState): ExitReason {
  return state.reported ?? orderedReason(state) ?? SHUTDOWN;
}

function startOf(phase: LifePhase): Start {
  if (phase.kind === "waiting") return "open";
  return phase.kind === "starting" || phase.kind === "killed" ? phase.start : "settled";
}

function killed(phase: LifePhase, reason: ExitReason, stopping: boolean): LifePhase {
  return { kind: "killed", reason, start: startOf(phase), isStopping: stopping };
}

function to(state: LifeState, phase: LifePhase, actions = NOTHING): LifeTurn {
  return { state: { ...state, phase }, actions };
}

function unchanged(state: LifeState): LifeTurn {
  return { state, actions: NOTHING };
}
