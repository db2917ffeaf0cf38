// One actor takes every descriptor of the process: prints what still works, and what does again once it has ended.
import { isActorError, startSystem } from "@mini-otp/runtime";
import type Descriptors from "../fixtures/descriptors.actor.js";

const system = await startSystem({ logger: false, intensity: 100 });
const actor = new URL("../fixtures/descriptors.actor.js", import.meta.url);
const spec = { actor, restart: "permanent" } as const;
const sibling = await system.startChild<typeof Descriptors>({ id: "sibling", ...spec });
const hoarder = await system.startChild<typeof Descriptors>({ id: "hoarder", ...spec });
console.log("hoarder", await hoarder.call("takeAll"));
// Long enough for the guard to look at everything it ever looks at.
const rounds = await sibling.call("spin", 1500);
console.log("sibling", rounds > 0, await sibling.call("ping"));
console.log("metrics", system.stats().actors, system.meters.actors().length);
const refused = await system.startChild({ id: "late", actor }).catch((error: unknown) => error);
console.log("late", isActorError(refused) && refused.code, /EMFILE/.test(String(refused)));
const restarted = new Promise<void>((resolve) => {
  system.on("actor_restarted", () => resolve());
});
system.exit(hoarder, "kill");
await restarted;
console.log("hoarder", await hoarder.call("ping"), "sibling", await sibling.call("ping"));
const late = await system.startChild<typeof Descriptors>({ id: "late", actor });
console.log("late", await late.call("ping"));
await system.stop();
