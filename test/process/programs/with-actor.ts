import { handleSignals, startSystem } from "@mini-otp/runtime";
import type Native from "../fixtures/native.actor.js";

const [how] = process.argv.slice(2);
const system = await startSystem({ logger: false });
if (how === "signals") handleSignals(system, { timeoutMs: 500 });
const actor = new URL("../fixtures/native.actor.js", import.meta.url);
const pids: number[] = [];
for (const id of ["waiting", "looping"]) {
  const ref = await system.startChild<typeof Native>({ id, actor, isolation: "process", shutdown: 200 });
  pids.push(await ref.call("pid"), await ref.call("spawnChild"));
  if (id === "looping") await ref.cast("loop");
}
console.log(pids.join(" "));
if (how === "exit") process.exit(0);
if (how === "stop") await system.stop({ timeoutMs: 500 });
