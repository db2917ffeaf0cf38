import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FAULTS } from "./fault-table.js";
import type { Observation } from "./observation.js";

const RUN_FAULT = fileURLToPath(new URL("./run-fault.js", import.meta.url));
const RUN_LIGHT_FAULT = fileURLToPath(new URL("./run-light-fault.js", import.meta.url));
const RUN_BARE = fileURLToPath(new URL("./run-bare.js", import.meta.url));
/** Far more than any fault takes: a process that is still there then hangs. */
const DEADLINE_MS = 60_000;
/** Longest round trip of a sibling, and longest delay of main's event loop, while a fault runs on the other core. */
export const SIBLING_LIMIT_MS = 100;
export const LOOP_DELAY_LIMIT_MS = 50;

export interface Ended {
  readonly output: string;
  readonly errors: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly tookMs: number;
}

/** Runs a program to its end; keeps the last of what it prints. */
export function runNode(node: string, args: readonly string[], deadlineMs = DEADLINE_MS): Promise<Ended> {
  const startedMs = performance.now();
  const child = spawn(node, args, { stdio: ["ignore", "pipe", "pipe"], timeout: deadlineMs, killSignal: "SIGKILL" });
  const tails = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      tails[stream] = (tails[stream] + text).slice(-10_000);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ output: tails.stdout, errors: tails.stderr, code, signal, tookMs: performance.now() - startedMs });
    });
  });
}

/**
 * Runs one fault program in a process of its own. Throws when the process did not survive it. A process that has said
 * all it has to say may end by SIGKILL, when a thread is left behind in a native operation that is not over yet: Node
 * would wait for it, so the runtime leaves in the one way that cannot hang.
 */
export function observe(fault: string, node = process.execPath): Promise<Observation> {
  return observed(RUN_FAULT, fault, node);
}

/** The same for a light actor. */
export function observeLight(fault: string, node = process.execPath): Promise<Observation> {
  return observed(RUN_LIGHT_FAULT, fault, node);
}

async function observed(program: string, fault: string, node: string): Promise<Observation> {
  const { output, errors, code, signal, tookMs } = await runNode(node, [program, fault]);
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  const seen = line.startsWith("{") ? (JSON.parse(line) as Observation) : undefined;
  const leftZombie = signal === "SIGKILL" && tookMs < DEADLINE_MS && seen !== undefined && seen.zombies > 0;
  if (seen === undefined || (code !== 0 && !leftZombie)) {
    throw new Error(`${fault}: the process died (code ${code}, signal ${signal}): ${(errors || output).slice(-500)}`);
  }
  return seen;
}

/** What the same fault does to a process whose worker has only `resourceLimits`. */
export async function observeBare(fault: string, node: string, deadlineMs: number): Promise<string> {
  const { output, code, signal, tookMs } = await runNode(node, [RUN_BARE, fault], deadlineMs);
  if (signal === "SIGKILL" && tookMs >= deadlineMs) return "goes on";
  const outcome = output.trimEnd().split("\n").at(-1) ?? "";
  if (code === 0 && outcome !== "") return outcome;
  return `process dies (${signal ?? code})`;
}

/**
 * In these the thread cannot be interrupted on some Node, or at all, or V8 ends it in the midst of one allocation: what waited on
 * its heap is lost.
 */
const LOSES: ReadonlySet<string> = new Set([
  "native-crypto",
  "child-process",
  "closures-uninterruptible",
  "array-concat",
]);

/** What is wrong with an observation, in words; empty when nothing is. */
export function complaints(seen: Observation): string[] {
  const expected = FAULTS[seen.fault];
  const wrong: string[] = [];
  const reasons = [expected.reason, ...(expected.orReason ?? [])];
  if (!reasons.includes(seen.reason.kind as (typeof reasons)[number])) {
    wrong.push(`reason ${JSON.stringify(seen.reason)}, expected ${reasons.join(" or ")}`);
  }
  if (expected.stage === "handler" && !seen.restarted) wrong.push("not restarted");
  if (expected.code !== undefined && seen.startCode !== expected.code)
    wrong.push(`start rejected with ${seen.startCode}`);
  if (expected.stage === "handler" && !["ERR_CALL_EXIT", "replied"].includes(seen.call))
    wrong.push(`call: ${seen.call}`);
  if (seen.accepted !== undefined && seen.accepted !== "7" && !LOSES.has(seen.fault)) {
    wrong.push(`what its neighbour had accepted: ${seen.accepted}`);
  }
  if (seen.openCalls !== 0) wrong.push(`${seen.openCalls} calls left open`);
  return wrong;
}

/** What is wrong with what the others noticed. */
export function disturbances(seen: Observation): string[] {
  const wrong: string[] = [];
  if (seen.siblingMaxMs > SIBLING_LIMIT_MS)
    wrong.push(`a sibling's round trip took ${seen.siblingMaxMs.toFixed(0)} ms`);
  if (seen.loopDelayMaxMs >= LOOP_DELAY_LIMIT_MS) wrong.push(`main was late by ${seen.loopDelayMaxMs.toFixed(0)} ms`);
  return wrong;
}
