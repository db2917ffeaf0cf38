import { describe, expect, test } from "vitest";
import { ofPart } from "../support/part.js";
import { complaints, disturbances, observe, observeLight } from "./fault-process.js";
import { FAULTS } from "./fault-table.js";
import type { Observation } from "./observation.js";

const TIMEOUT_MS = 90_000;
/**
 * A fault that disturbs others does so whenever it runs; that the machine stops for longer than the limit happens in
 * one run and not in the next. So a disturbance counts when neither of two runs is without it. Everything else must be
 * right in each.
 */
const RUNS = 2;

/** One of each way to end, every sixth one, or all. */
const CHOSEN = Object.entries(FAULTS).filter(([, { stage, reason }], at, all) =>
  ofPart(at === all.findIndex(([, other]) => other.stage === stage && other.reason === reason), at % 6 === 0, true),
);

/** A start or a stop that fails is the fault of one member, as any: the table is for what a handler does. */
const CHOSEN_LIGHT = Object.entries(FAULTS).filter(([, { stage, reason }], at, all) => {
  const isFirst = at === all.findIndex(([, other]) => other.stage === stage && other.reason === reason);
  return stage === "handler" && ofPart(isFirst && reason === "exit_called", isFirst, true);
});

describe.sequential("a process survives an actor that", () => {
  for (const [fault, { stage, reason }] of CHOSEN) {
    test(`does ${fault} (${stage}: ${reason}), and the others do not notice`, { timeout: TIMEOUT_MS }, () =>
      survives(() => observe(fault)),
    );
  }
});

describe.sequential("a process survives a light actor that", () => {
  for (const [fault, { reason }] of CHOSEN_LIGHT) {
    test(
      `does ${fault} (${reason}): other threads do not notice, and its neighbours keep what they have accepted`,
      { timeout: TIMEOUT_MS },
      () => survives(() => observeLight(fault)),
    );
  }
});

async function survives(observed: () => Promise<Observation>): Promise<void> {
  const runs: Observation[] = [];
  do {
    const seen = await observed();
    expect(complaints(seen), JSON.stringify(seen)).toEqual([]);
    runs.push(seen);
  } while (disturbances(leastOf(runs)).length > 0 && runs.length < RUNS);
  expect(disturbances(leastOf(runs)), JSON.stringify(runs)).toEqual([]);
}

/** The last run, with the least delays of all. */
function leastOf(runs: readonly Observation[]): Observation {
  return {
    ...(runs.at(-1) as Observation),
    siblingMaxMs: Math.min(...runs.map(({ siblingMaxMs }) => siblingMaxMs)),
    loopDelayMaxMs: Math.min(...runs.map(({ loopDelayMaxMs }) => loopDelayMaxMs)),
  };
}
