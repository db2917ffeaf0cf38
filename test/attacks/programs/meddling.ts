// What the runtime stands on is changed, in an actor ("actor") or on main ("main"), as the second argument names. Prints "lives"
// when logging, crashes, restarts and calls go on all the same.
import { readFileSync, writeSync } from "node:fs";
import { startSystem } from "@mini-otp/runtime";
import type Meddler from "../fixtures/meddler.actor.js";
import { type Meddling, meddle } from "../fixtures/meddling.js";

const [where, meddling] = process.argv.slice(2) as ["actor" | "main", Meddling];
const actor = new URL("../fixtures/meddler.actor.js", import.meta.url);
const system = await startSystem({ intensity: 100 });
const say = (text: string): void => void writeSync(1, `${text}\n`);

function expect(what: string, value: unknown, expected: unknown): void {
  if (value === expected) return;
  say(`${what} is ${String(value)}, not ${String(expected)}`);
  process.exit(1);
}

if (where === "main") meddle(meddling);
const args = where === "actor" ? { meddling } : {};
const one = await system.startChild<typeof Meddler>({ id: "one", actor, args, console: "log" });
const two = await system.startChild<typeof Meddler>({ id: "two", actor });
for (const [ref, id] of [
  [one, "one"],
  [two, "two"],
] as const) {
  for (let life = 1; life < 4; life++) {
    if (where === "actor") await ref.call("meddle", meddling);
    expect(`${id} is answered`, (await ref.call("ready", [7]))[1], 7);
    await ref.call("log");
    const failure = (await ref.call("crash").catch((error: unknown) => error)) as { code: string; reason: any };
    expect(`${id}'s failure`, failure.code, "ERR_CALL_EXIT");
    expect(`${id}'s reason`, failure.reason.error.message, "crash");
    expect(`${id}'s reason's code`, failure.reason.error.code, "E_CRASH");
    expect(`${id}'s life`, (await ref.call("ready", []))[0], life + 1);
  }
}
expect("a pool of memory is whole", system.stats().actors, 2);
expect("the tree", system.tree().children?.length, 2);
const { killed } = await system.stop();
expect("killed", killed, false);
expect("the module is there", readFileSync(actor).length > 0, true);
say("lives");
