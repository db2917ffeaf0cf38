import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { eventually } from "./eventually.js";
import { startProgram } from "./program.js";

/** The kernel's letter for its state; undefined when there is no such process. */
export function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat[stat.lastIndexOf(")") + 2];
  } catch {
    return undefined;
  }
}

/** A process that has ended and is not read yet counts as ended. */
export const runs = (pid: number): boolean => !["Z", "X", undefined].includes(stateOf(pid));

/** Ways in which a program ends that prints the numbers of its processes: its argument, and what it is sent. */
export const ENDS = [
  ["exit", undefined],
  ["stop", undefined],
  ["signals", "SIGTERM"],
  ["", "SIGTERM"],
  ["", "SIGKILL"],
] as const;

/** Ends it so, and waits until none of its processes runs. */
export async function outlivesNone(file: URL, how: string, signal: NodeJS.Signals | undefined): Promise<void> {
  const program = startProgram(file.pathname, [how]);
  await program.says("\n");
  const pids = program.output().trim().split(" ").map(Number);
  expect(pids.filter(runs).length).toBeGreaterThanOrEqual(signal === undefined ? 0 : 4);
  if (signal !== undefined) program.process.kill(signal);
  await program.ended;
  await eventually(() => pids.every((pid) => !runs(pid)));
}

/** What a promise rejects with; what it resolves with is in `resolved`. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ resolved: value }),
    (error: unknown) => error,
  );
