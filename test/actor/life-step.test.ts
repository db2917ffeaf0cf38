import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  hasThread,
  isRunning,
  isStarting,
  isStopping,
  type LifeAction,
  type LifeEvent,
  type LifePhase,
  type LifeState,
  lifeStep,
  NEW_LIFE,
  orderedReason,
  reasonOf,
} from "#runtime/actor/life-step.js";

const SHUTDOWN: ExitReason = { kind: "shutdown" };
const KILLED: ExitReason = { kind: "killed" };
const BOOM: ExitReason = { kind: "error", error: new Error("boom") };
const CAP: ExitReason = { kind: "heap_cap_exceeded", heapCapMb: 64, usedMb: 65 };

const START: LifeEvent = { kind: "start" };
const THREAD_STARTED: LifeEvent = { kind: "thread_started" };
const INITIALISED: LifeEvent = { kind: "initialised" };
const IGNORED: LifeEvent = { kind: "ignored" };
const STOP: LifeEvent = { kind: "stop", isBrutal: false };
const BRUTAL: LifeEvent = { kind: "stop", isBrutal: true };
const SWAP: LifeEvent = { kind: "swap" };
const SWAPPED: LifeEvent = { kind: "swapped" };
const kill = (reason: ExitReason): LifeEvent => ({ kind: "kill", reason });
const reported = (reason: ExitReason): LifeEvent => ({ kind: "reported", reason });
const ended = (reason: ExitReason): LifeEvent => ({ kind: "ended", reason });

const UP = [START, THREAD_STARTED, INITIALISED];

function live(...events: readonly LifeEvent[]): LifeState {
  return events.reduce((state, event) => lifeStep(state, event).state, NEW_LIFE);
}

/** What the last of these events leads to. */
function actionsOf(...events: readonly LifeEvent[]): readonly LifeAction[] {
  return lifeStep(live(...events.slice(0, -1)), events[events.length - 1]).actions;
}

describe("an incarnation", () => {
  test("waits for its turn, starts, runs, and tells its supervisor of an end of its own accord", () => {
    expect(live(START).phase).toEqual({ kind: "waiting" });
    expect(live(START, THREAD_STARTED).phase).toEqual({ kind: "starting", start: "open" });
    expect(live(...UP).phase).toEqual({ kind: "running" });
    expect(actionsOf(...UP)).toEqual([{ kind: "settle_start", outcome: "started" }]);
    expect(actionsOf(...UP, ended(BOOM))).toEqual([{ kind: "tell_supervisor", reason: BOOM }]);
    expect(live(...UP, ended(BOOM)).phase).toEqual({ kind: "ended" });
  });

  test("whose thread ends before init is done fails to start, and its supervisor hears of no exit", () => {
    expect(actionsOf(START, THREAD_STARTED, ended(BOOM))).toEqual([
      { kind: "settle_start", outcome: "failed", reason: BOOM },
    ]);
  });

  test("whose init returned ignore() has not failed, also when it was killed before it said so", () => {
    const outcome = [{ kind: "settle_start", outcome: "ignored" }];
    expect(actionsOf(START, THREAD_STARTED, IGNORED, ended(BOOM))).toEqual(outcome);
    expect(actionsOf(START, THREAD_STARTED, kill(CAP), IGNORED, ended(CAP))).toEqual(outcome);
  });

  test("that is killed while it waits for its turn fails to start at once", () => {
    expect(actionsOf(START, kill(CAP))).toEqual([{ kind: "settle_start", outcome: "failed", reason: CAP }]);
    expect(live(START, kill(CAP)).phase).toEqual({ kind: "ended" });
  });

  test("that says it has started after it was killed has not", () => {
    const late = live(START, THREAD_STARTED, kill(CAP), INITIALISED);
    expect(isRunning(late)).toBe(false);
    expect(isStarting(late)).toBe(true);
    expect(lifeStep(late, ended(CAP)).actions).toEqual([{ kind: "settle_start", outcome: "failed", reason: CAP }]);
  });

  test("ends for the first reason it was killed for, whatever comes after it", () => {
    const state = live(...UP, kill(CAP), kill(BOOM), STOP);
    expect(orderedReason(state)).toEqual(CAP);
    expect(actionsOf(...UP, kill(CAP), kill(BOOM))).toEqual([{ kind: "end_thread" }]);
  });

  test("runs until its thread has ended, also when it was killed", () => {
    expect(isRunning(live(...UP, kill(CAP)))).toBe(true);
    expect(isRunning(live(...UP, kill(CAP), ended(CAP)))).toBe(false);
  });

  test("gives the reason its thread reported before the one it was killed for", () => {
    expect(reasonOf(NEW_LIFE)).toEqual(SHUTDOWN);
    expect(reasonOf(live(...UP, kill(CAP)))).toEqual(CAP);
    expect(reasonOf(live(...UP, reported(BOOM), kill(CAP)))).toEqual(BOOM);
  });

  test("takes no report of a thread that it has no more", () => {
    expect(reasonOf(live(...UP, ended(CAP), reported(BOOM)))).toEqual(CAP);
  });
});

describe("a stop", () => {
  test("is done at once where nothing runs", () => {
    expect(actionsOf(STOP)).toEqual([{ kind: "settle_stop" }]);
    expect(actionsOf(...UP, ended(BOOM), BRUTAL)).toEqual([{ kind: "settle_stop" }]);
  });

  test("of a start that waits for its turn fails the start, then is done", () => {
    expect(actionsOf(START, STOP)).toEqual([
      { kind: "settle_start", outcome: "failed", reason: KILLED },
      { kind: "settle_stop" },
    ]);
  });

  test("gives up a start that is under way", () => {
    expect(actionsOf(START, THREAD_STARTED, STOP)).toEqual([{ kind: "give_up_start" }]);
    expect(actionsOf(START, THREAD_STARTED, BRUTAL)).toEqual([{ kind: "give_up_start" }]);
    expect(orderedReason(live(START, THREAD_STARTED, STOP))).toEqual(KILLED);
  });

  test("asks a running thread, unless it is brutal", () => {
    expect(actionsOf(...UP, STOP)).toEqual([{ kind: "ask_to_stop" }]);
    expect(live(...UP, STOP).phase).toEqual({ kind: "stopping" });
    expect(actionsOf(...UP, BRUTAL)).toEqual([{ kind: "kill_now" }]);
  });

  test("keeps the supervisor from being told of the exit, because it waits for the stop", () => {
    for (const stopped of [[STOP], [BRUTAL], [STOP, kill(KILLED)], [kill(CAP), STOP]]) {
      expect(actionsOf(...UP, ...stopped, ended(KILLED))).toEqual([]);
    }
  });
});

describe("an upgrade", () => {
  test("that is committed swaps threads, and what the former thread reported is forgotten", () => {
    const state = live(...UP, SWAP, reported(SHUTDOWN), SWAPPED);
    expect(state).toEqual({ phase: { kind: "running" }, reported: undefined });
  });

  test("does not make the actor forget that it was asked to stop", () => {
    expect(isStopping(live(...UP, SWAP, STOP))).toBe(true);
    expect(live(...UP, SWAP, STOP, SWAPPED).phase).toEqual({ kind: "stopping" });
  });

  test("does not save an actor that was killed", () => {
    expect(live(...UP, kill(CAP), SWAP).phase.kind).toBe("killed");
    expect(live(...UP, SWAP, kill(CAP), SWAPPED).phase.kind).toBe("killed");
  });

  test("whose new thread has ended as well ends the actor", () => {
    expect(actionsOf(...UP, SWAP, ended(BOOM))).toEqual([{ kind: "tell_supervisor", reason: BOOM }]);
  });
});

/** Every way from one phase to another, by any event. */
const LEGAL: Readonly<Record<LifePhase["kind"], readonly LifePhase["kind"][]>> = {
  new: ["new", "waiting"],
  waiting: ["waiting", "starting", "ended"],
  starting: ["starting", "running", "killed", "ended"],
  running: ["running", "stopping", "swapping", "killed", "ended"],
  stopping: ["stopping", "killed", "ended"],
  swapping: ["swapping", "running", "stopping", "killed", "ended"],
  killed: ["killed", "ended"],
  ended: ["ended"],
};

const anEvent: fc.Arbitrary<LifeEvent> = fc.constantFrom(
  START,
  THREAD_STARTED,
  INITIALISED,
  IGNORED,
  STOP,
  BRUTAL,
  SWAP,
  SWAPPED,
  kill(CAP),
  kill(BOOM),
  reported(BOOM),
  ended(BOOM),
);

test("whatever happens, a start settles once, the supervisor is told at most once, and an end is for good", () => {
  fc.assert(
    fc.property(fc.array(anEvent, { maxLength: 30 }), (events) => {
      let state = NEW_LIFE;
      let settled = 0;
      let told = 0;
      let waited = false;
      for (const event of events) {
        const before = state;
        const turn = lifeStep(before, event);
        state = turn.state;
        expect(LEGAL[before.phase.kind]).toContain(state.phase.kind);
        for (const { kind } of turn.actions) {
          if (kind === "settle_start") settled++;
          if (kind === "tell_supervisor") told++;
          if (kind === "end_thread" || kind === "ask_to_stop") expect(hasThread(before)).toBe(true);
          if (kind === "tell_supervisor") expect([isRunning(before), isStopping(before)]).toEqual([true, false]);
        }
        waited ||= state.phase.kind === "waiting";
        expect(isStarting(state) && isRunning(state)).toBe(false);
        expect(settled).toBe(waited && !isStarting(state) ? 1 : 0);
      }
      expect(told).toBeLessThanOrEqual(1);
    }),
    { numRuns: 2000 },
  );
});
