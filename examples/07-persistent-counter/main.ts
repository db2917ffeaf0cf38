// A counter that goes on where it was: after a stop, after SIGTERM, and after kill -9. With a file's name it counts
// until it is told to end: node main.js count.journal
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { handleSignals, isActorError, startSystem } from "@mini-otp/runtime";
import type Counter from "./counter.actor.js";

async function start(file: string) {
  const system = await startSystem({ logger: false });
  const actor = new URL("./counter.actor.js", import.meta.url);
  // `shutdown` is what it has for the messages it has accepted, and for `terminate`.
  const counter = await system.startChild<typeof Counter>({ id: "counter", actor, args: { file }, shutdown: 2000 });
  return { system, counter };
}

if (process.argv[2] === undefined) {
  const folder = mkdtempSync(join(tmpdir(), "counter-"));
  for (const run of [1, 2, 3]) {
    const { system, counter } = await start(join(folder, "count.journal"));
    for (let i = 0; i < 4; i++) await counter.cast("add", 1);
    console.log(`run ${run}: ${await counter.call("add", 0)}`);
    await system.stop();
  }
  rmSync(folder, { recursive: true });
} else {
  const { system, counter } = await start(process.argv[2]);
  handleSignals(system);
  try {
    for (;;) console.log(await counter.call("add", 1));
  } catch (error) {
    // It stops: this call was not accepted any more.
    if (!isActorError(error, "ERR_NOPROC")) throw error;
  }
}
