// V8's flags change between two starts: what it has compiled in the first thread it does not take in the second.
import { setFlagsFromString } from "node:v8";
import { startSystem } from "@mini-otp/runtime";
import type Counter from "../../fixtures/counter.actor.js";

const actor = new URL("../../fixtures/counter.actor.js", import.meta.url);
const system = await startSystem({ logger: false });
for (const id of ["before", "after", "again"]) {
  const counter = await system.startChild<typeof Counter>({ id, actor, startTimeoutMs: 60_000 });
  console.log(id, await counter.call("get"));
  if (id === "before") setFlagsFromString("--no-flush-bytecode");
}
await system.stop();
