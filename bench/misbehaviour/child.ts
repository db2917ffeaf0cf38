// One fault in one library, in a process of its own, which the fault may end; so each result is written at once.
// Usage: node child.js <library> <fault>
import { writeSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { LIBRARIES } from "./libraries.js";
import type { Fault } from "./work.js";

const CALLER_MS = 8_000;
const NEXT_MS = 3_000;

const [library, fault] = process.argv.slice(2) as [string, Fault];

/** How a promise ends, in few words; or that it does not. */
async function endOf(promise: Promise<unknown>, withinMs: number): Promise<string> {
  const never = wait(withinMs, "never settles", { ref: false });
  return Promise.race([
    promise.then(
      () => "resolves",
      (error: unknown) => `rejects: ${error instanceof Error ? error.message : String(error)}`,
    ),
    never,
  ]);
}

const tell = (what: string, how: string) => writeSync(1, `${JSON.stringify({ what, how })}\n`);

// As in a service, something else keeps main alive.
setInterval(() => {}, 1_000);
const run = await LIBRARIES[library]();
await Promise.all([run("ok"), run("ok")]);
const neighbour = endOf(run("neighbour"), CALLER_MS);
const caller = endOf(run(fault), CALLER_MS);
void caller.then((how) => tell("caller", how));
void neighbour.then((how) => tell("neighbour", how));
await Promise.all([caller, neighbour]);
const next = await Promise.all([endOf(run("ok"), NEXT_MS), endOf(run("ok"), NEXT_MS)]);
tell("next", next.every((how) => how === "resolves") ? "resolves" : (next.find((how) => how !== "resolves") ?? ""));
process.kill(process.pid, "SIGKILL");
