// A supervisor that restarts too often gives up: its own supervisor starts it afresh, with all its children.
import { type ActorRef, startSystem, supervisor } from "@mini-otp/runtime";
import type Fragile from "./fragile.actor.js";

const system = await startSystem({ logger: false, intensity: 1, periodMs: 60_000 });
const actor = new URL("./fragile.actor.js", import.meta.url);

const spec = supervisor({ id: "inner", intensity: 1, periodMs: 60_000, children: [{ id: "fragile", actor }] });
const inner = await system.startChild(spec);
const fragile: ActorRef<typeof Fragile> = inner.child("fragile");

system.on("actor_exited", ({ id, reason }) => console.log(id, "exited:", reason.kind));
system.on("actor_restarted", ({ id }) => console.log(id, "restarted"));
system.on("supervisor_escalated", ({ id, offender }) => console.log(id, "gives up because of", offender.id));

for (let i = 1; i <= 2; i++) {
  await fragile.call("crash").catch(() => {});
  console.log("incarnation", await fragile.call("incarnation"));
}
// The root allows one restart of `inner`; after the next it gives up too: the system ends, and the exit code will be 1.
for (let i = 1; i <= 2; i++) await fragile.call("crash").catch(() => {});
console.log("the system ended:", (await system.terminated).kind);
