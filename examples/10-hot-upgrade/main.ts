// Other code for an actor that goes on living: same reference, same state, no message lost.
import { isActorError, startSystem } from "@mini-otp/runtime";
import type Till from "./till-v1.actor.js";

await using system = await startSystem();
const till = await system.startChild<typeof Till>({
  id: "till",
  actor: new URL("./till-v1.actor.js", import.meta.url),
});
const next = new URL("./till-v2.actor.js", import.meta.url);
system.on("actor_upgraded", ({ id, fromVersion, version }) => console.log(id, fromVersion, "->", version));

console.log(await till.call("sell", -3));
await system.upgrade(till, next).catch((error) => {
  if (isActorError(error, "ERR_INIT_FAILED")) console.log("refused:", (error.cause as Error).message);
});
console.log(await till.call("sell", 5));

// Sales go on while the code is changed: each is made by one version or the other.
const sales = Array.from({ length: 1_000 }, () => till.call("sell", 1));
await system.upgrade(till, next);
console.log((await Promise.all(sales)).length, "sales");
console.log(await till.call("sell", 2));
console.log("restarts:", system.stats(till).restarts);
