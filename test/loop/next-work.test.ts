import { expect, test } from "vitest";
import { LoopState } from "#worker-host/loop/loop-state.js";
import { DRAINED, HAND_OVER, MAIL, NOTHING, nextWork, STOP } from "#worker-host/loop/next-work.js";
import { OwnMessages } from "#worker-host/loop/own-messages.js";

const SHUTDOWN = { kind: "shutdown" } as const;

/** An actor for which everything waits at once: two of each kind of message, and all that may end or move it. */
function everythingWaits(changes: Partial<LoopState> = {}) {
  const state = Object.assign(new LoopState(), { busy: false, handOver: true, draining: SHUTDOWN, ...changes });
  const own = new OwnMessages({ now: () => 10 });
  let mail = 2;
  for (const args of [[1], [2]]) {
    own.addTimer(0, 0, "timer", args);
    own.signal([{ type: "EXIT", id: args[0] }]);
    own.continueWith("continuation", args);
  }
  /** What is done until there is nothing left to do, or the actor ends. */
  const work = (): string[] => {
    const done: string[] = [];
    for (;;) {
      const next = nextWork(state, own, { next: () => mail-- > 0 });
      if (next === NOTHING) return done;
      done.push(typeof next === "string" ? next : next.method || "signal");
      if (next === HAND_OVER) state.handOver = false;
      if (next === STOP || next === DRAINED) return done;
    }
  };
  return { state, work };
}

const OWN = ["continuation", "continuation", "signal", "signal", "timer", "timer"];

// Promise: order-of-work
test("an actor's own messages come before a hand-over, that before its mailbox, and the end of a drain is last", () => {
  expect(everythingWaits().work()).toEqual([...OWN, HAND_OVER, MAIL, MAIL, DRAINED]);
});

test("a stop comes before all else", () => {
  expect(everythingWaits({ stopping: SHUTDOWN }).work()).toEqual([STOP]);
});

test("a suspended actor only hands over, unless it drains", () => {
  const { state, work } = everythingWaits({ suspended: true, draining: undefined });
  expect(work()).toEqual([HAND_OVER]);
  state.suspended = false;
  expect(work()).toEqual([...OWN, MAIL, MAIL]);
  expect(everythingWaits({ suspended: true }).work()).toEqual([...OWN, HAND_OVER, MAIL, MAIL, DRAINED]);
});

test("a busy actor and one whose state has been handed over do nothing, not even stop", () => {
  expect(everythingWaits({ busy: true, stopping: SHUTDOWN }).work()).toEqual([]);
  expect(everythingWaits({ frozen: true, stopping: SHUTDOWN }).work()).toEqual([]);
});
