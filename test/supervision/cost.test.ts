import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { describe, expect, test } from "vitest";
import type { Strategy } from "#runtime/supervision/restart-strategy.js";
import {
  type ChildState,
  childrenOf,
  newChild,
  newSupervisor,
  type SupervisorFlags,
  type SupervisorState,
} from "#runtime/supervision/supervisor-state.js";
import { type SupervisorEvent, step } from "#runtime/supervision/supervisor-step.js";

const BOOM: ExitReason = { kind: "error", error: "boom" };
const SHUTDOWN: ExitReason = { kind: "shutdown" };
const BACKOFF = { minMs: 0, maxMs: 0, factor: 1, jitter: 0, resetAfterMs: 0 };

/** A supervisor that runs with `count` children, and counts how often one of those is looked at that nothing has happened to. */
class Watched {
  looks = 0;
  #state: SupervisorState;

  constructor(count: number, flags: Partial<SupervisorFlags>) {
    const state = newSupervisor("root", {
      strategy: "one_for_one",
      intensity: 3,
      periodMs: 5_000,
      autoShutdown: "all_significant",
      dynamic: true,
      maxChildren: Infinity,
      ...flags,
    });
    const children = Array.from({ length: count }, (_, index) => this.#watch(childOf(`c${index}`)));
    this.#state = { ...state, phase: "running", children: childrenOf(children) };
    this.looks = 0;
  }

  send(event: SupervisorEvent): number {
    const { state, actions } = step(this.#state, event, 0);
    this.#state = state;
    return actions.length;
  }

  /** A change makes a plain copy of it, so only looks at those that have not changed count. */
  #watch(child: ChildState): ChildState {
    const up = { ...child, phase: "up", goal: "none", cause: null, incarnation: 1 } as const;
    const get = () => {
      this.looks++;
      return "up";
    };
    return Object.defineProperty({ ...up }, "phase", { get, enumerable: true }) as ChildState;
  }
}

function childOf(id: string): ChildState {
  const spec = { id, type: "worker", restart: "permanent", significant: false, shutdown: 5_000 } as const;
  return newChild({ ...spec, backoff: BACKOFF }, { kind: "start_child" });
}

function looksAtStart(count: number): number {
  const supervisor = new Watched(count, {});
  supervisor.send({ kind: "start_child", child: childOf("new") });
  supervisor.send({ kind: "child_started", id: "new", incarnation: 1 });
  return supervisor.looks;
}

function looksAtRestart(count: number): number {
  const supervisor = new Watched(count, {});
  supervisor.send({ kind: "child_exited", id: "c7", reason: BOOM, random: 0 });
  supervisor.send({ kind: "child_started", id: "c7", incarnation: 2 });
  return supervisor.looks;
}

test("a start looks at as many children under a supervisor of 8 000 as under one of 80: none", () => {
  expect([looksAtStart(80), looksAtStart(8_000)]).toEqual([0, 0]);
});

test("so does a crash with its restart: at the one that crashed", () => {
  const few = looksAtRestart(80);
  expect(few).toBeLessThan(10);
  expect(looksAtRestart(8_000)).toBe(few);
});

/** How often, for each child, one that nothing has happened to is looked at while all of them stop. */
function looksPerChildStopped(count: number, dynamic: boolean): number {
  const supervisor = new Watched(count, { dynamic });
  supervisor.send({ kind: "stop", reason: SHUTDOWN });
  const request = { reason: SHUTDOWN, shutdown: 5_000, restarting: false };
  for (let index = count - 1; index >= 0; index--) {
    const actions = supervisor.send({ kind: "child_stopped", id: `c${index}`, reason: SHUTDOWN, request });
    expect(actions).toBeGreaterThan(0);
  }
  return supervisor.looks / count;
}

test.each([
  ["one after the other", false],
  ["all at once", true],
])("children that stop %s cost the same each, however many they are", (_, dynamic) => {
  const few = looksPerChildStopped(80, dynamic);
  expect(few).toBeLessThan(20);
  expect(looksPerChildStopped(8_000, dynamic)).toBe(few);
});

describe.each<Strategy>(["one_for_all", "rest_for_one"])("under %s", (strategy) => {
  /** How often a child is looked at for each child that is restarted, when the first of `count` has crashed. */
  const looksPerChildRestarted = (count: number): number => {
    const supervisor = new Watched(count, { strategy, dynamic: false });
    const request = { reason: SHUTDOWN, shutdown: 5_000, restarting: true };
    supervisor.send({ kind: "child_exited", id: "c0", reason: BOOM, random: 0 });
    for (let index = count - 1; index > 0; index--) {
      supervisor.send({ kind: "child_stopped", id: `c${index}`, reason: SHUTDOWN, request });
    }
    for (let index = 0; index < count; index++) {
      expect(supervisor.send({ kind: "child_started", id: `c${index}`, incarnation: 2 })).toBeGreaterThan(0);
    }
    return supervisor.looks / count;
  };

  test("children that are restarted together cost the same each, however many they are", () => {
    const few = looksPerChildRestarted(80);
    expect(few).toBeLessThan(20);
    expect(Math.abs(looksPerChildRestarted(8_000) - few)).toBeLessThan(1);
  });
});
