// Two actors that cannot live without each other are restarted together, in order.
import { startSystem } from "@mini-otp/runtime";
import type Store from "./store.actor.js";

await using system = await startSystem({ logger: false, strategy: "one_for_all" });
const actor = new URL("./store.actor.js", import.meta.url);

const store = await system.startChild<typeof Store>({ id: "store", actor, args: {} });
const writer = await system.startChild<typeof Store>({ id: "writer", actor, args: { store } });
console.log("before:", await writer.call("session"));

const restarted = new Promise<void>((resolve) => {
  const off = system.on("actor_exited", ({ id, reason }) => console.log("exited: ", id, reason.kind));
  system.on("actor_restarted", ({ id, incarnation }) => {
    console.log("started:", id, incarnation);
    if (id !== writer.id) return;
    off();
    resolve();
  });
});
await store.cast("crash");
await restarted;
console.log("after: ", await writer.call("session"));
