import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { BackoffOptions } from "#runtime/supervision/backoff.js";
import type { RestartType, Shutdown } from "#runtime/supervision/child.js";
import type { AutoShutdown, Strategy } from "#runtime/supervision/restart-strategy.js";
import {
  type ChildState,
  childrenOf,
  type DeclaredChild,
  GROUPS,
  newChild,
  newSupervisor,
  type SupervisorFlags,
  type SupervisorState,
  TALLIES,
} from "#runtime/supervision/supervisor-state.js";
import { type SupervisorEvent, step } from "#runtime/supervision/supervisor-step.js";
import { NaiveChildren } from "./naive-list.js";

/** What happens next; which child it happens to is `nth` of those it can happen to. */
interface Happening {
  readonly kind: "start" | "answer" | "exit" | "stopped" | "due" | "administer" | "stop";
  readonly spec: DeclaredChild;
  readonly reason: ExitReason;
  readonly nth: number;
}

/** More than a list is first numbered for, so that it is numbered afresh now and then. */
const IDS = Array.from({ length: 40 }, (_, index) => `c${index}`);

const backoffOf = (ms: number): BackoffOptions => ({ minMs: ms, maxMs: ms, factor: 1, jitter: 0, resetAfterMs: 0 });

const aSpec: fc.Arbitrary<DeclaredChild> = fc
  .record({
    id: fc.constantFrom(...IDS),
    type: fc.constantFrom("worker" as const, "supervisor" as const),
    restart: fc.constantFrom<RestartType>("permanent", "transient", "temporary"),
    significant: fc.boolean(),
    shutdown: fc.constantFrom<Shutdown>(5_000, "infinity", "brutal_kill"),
    backoff: fc.constantFrom(backoffOf(0), backoffOf(100)),
  })
  .map((spec) => ({ ...spec, significant: spec.significant && spec.restart !== "permanent" }));

const aReason = fc.constantFrom<ExitReason>(
  { kind: "normal" },
  { kind: "shutdown" },
  { kind: "killed" },
  { kind: "error", error: "boom" },
);

const aHappening = (kinds: Record<Happening["kind"], number>): fc.Arbitrary<Happening> =>
  fc.record({
    kind: fc.oneof(
      ...Object.entries(kinds).map(([kind, weight]) => ({
        weight,
        arbitrary: fc.constant(kind as Happening["kind"]),
      })),
    ),
    spec: aSpec,
    reason: aReason,
    nth: fc.nat(),
  });

const someFlags: fc.Arbitrary<SupervisorFlags> = fc.record({
  strategy: fc.constantFrom<Strategy>("one_for_one", "one_for_all", "rest_for_one"),
  intensity: fc.constantFrom(3, 1_000),
  periodMs: fc.constant(5_000),
  autoShutdown: fc.constantFrom<AutoShutdown>("never", "any_significant", "all_significant"),
  dynamic: fc.boolean(),
  maxChildren: fc.constant(Infinity),
});

/** The event that a happening is now, or undefined where it cannot happen. */
function eventOf({ kind, spec, reason, nth }: Happening, state: SupervisorState): SupervisorEvent | undefined {
  const random = 0.5;
  const one = (...phases: ChildState["phase"][]): ChildState | undefined => {
    const found = [...state.children].filter(({ phase }) => phases.includes(phase));
    return found[nth % found.length];
  };
  const stopping = state.phase === "stopping";
  switch (kind) {
    case "start":
      if (stopping || state.children.get(spec.id) !== undefined) return undefined;
      return { kind: "start_child", child: newChild(spec, { kind: "start_child" }) };
    case "answer": {
      const child = one("starting");
      if (child === undefined) return undefined;
      const { id, incarnation } = child;
      if (nth % 7 === 0) return { kind: "child_failed", id, incarnation, reason, random };
      return { kind: nth % 7 === 1 ? "child_ignored" : "child_started", id, incarnation };
    }
    case "exit": {
      const child = one("up", "starting");
      return child && { kind: "child_exited", id: child.id, reason, random };
    }
    case "stopped": {
      const request = { reason, shutdown: 5_000, restarting: false };
      const child = one("stopping");
      return child && { kind: "child_stopped", id: child.id, reason, request };
    }
    case "due": {
      const child = one("waiting");
      return child && { kind: "restart_due", id: child.id };
    }
    case "administer": {
      const child = one("up", "starting", "waiting", "down");
      if (child === undefined || stopping) return undefined;
      if (child.phase !== "down" || child.goal === "start") return { kind: "terminate_child", id: child.id };
      return { kind: nth % 2 === 0 ? "restart_child" : "delete_child", id: child.id };
    }
    case "stop":
      return stopping ? { kind: "overdue" } : { kind: "stop", reason };
  }
}

function expectSame(keyed: SupervisorState, naive: SupervisorState): void {
  expect({ ...keyed, children: [...keyed.children] }).toEqual({ ...naive, children: [...naive.children] });
  for (const group of Object.keys(GROUPS) as (keyof typeof GROUPS)[]) {
    expect([...keyed.children.in(group)]).toEqual([...naive.children.in(group)]);
    expect(keyed.children.count(group)).toBe(naive.children.count(group));
    expect(keyed.children.first(group)).toEqual(naive.children.first(group));
    expect(keyed.children.last(group)).toEqual(naive.children.last(group));
  }
  for (const name of Object.keys(TALLIES) as (keyof typeof TALLIES)[]) {
    expect(keyed.children.tally(name)).toEqual(naive.children.tally(name));
  }
}

function sameOverHappenings(
  flags: SupervisorFlags,
  declared: readonly DeclaredChild[],
  happenings: readonly Happening[],
): void {
  const children = declared.map((spec) => newChild(spec, { kind: "supervisor_start" }));
  const state = { ...newSupervisor("root", flags), phase: "starting" as const };
  let keyed: SupervisorState = { ...state, children: childrenOf(children) };
  let naive: SupervisorState = { ...state, children: new NaiveChildren(children).asChildren() };
  for (const [index, happening] of happenings.entries()) {
    if (naive.phase === "down") return;
    const event = eventOf(happening, naive);
    if (event === undefined) continue;
    const [one, two] = [step(keyed, event, index), step(naive, event, index)];
    expect(one.actions).toEqual(two.actions);
    [keyed, naive] = [one.state, two.state];
    expectSame(keyed, naive);
  }
}

test("a supervisor's keyed children do what a plain list of them would, over random events", () => {
  const kinds = { start: 4, answer: 8, exit: 6, stopped: 8, due: 4, administer: 4, stop: 0.2 };
  const weights = Object.fromEntries(Object.entries(kinds).map(([kind, weight]) => [kind, weight * 5])) as typeof kinds;
  fc.assert(
    fc.property(
      someFlags,
      fc.uniqueArray(aSpec, { selector: ({ id }) => id, maxLength: 6 }),
      fc.array(aHappening(weights), { minLength: 20, maxLength: 80 }),
      sameOverHappenings,
    ),
    { numRuns: 300 },
  );
});

test("and over children that come and go by the hundred", () => {
  const kinds = { start: 10, answer: 12, exit: 4, stopped: 8, due: 1, administer: 4, stop: 0 };
  fc.assert(
    fc.property(
      someFlags.map((flags) => ({ ...flags, intensity: 1_000, autoShutdown: "never" as const })),
      fc.array(aHappening(kinds), { minLength: 600, maxLength: 600 }),
      (flags, happenings) => sameOverHappenings(flags, [], happenings),
    ),
    { numRuns: 10, endOnFailure: true },
  );
});
