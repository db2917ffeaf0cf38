// Starts, calls, crashes, restarts and stops an actor: prints how that went under the flags that Node was given.
import { isActorError, startSystem } from "@mini-otp/runtime";
import type Snapshot from "../fixtures/snapshot.actor.js";

const logger = process.argv[2] === "default" ? {} : { logger: false as const };
try {
  const system = await startSystem({ ...logger, intensity: 10 });
  const actor = new URL("../fixtures/snapshot.actor.js", import.meta.url);
  const ref = await system.startChild<typeof Snapshot>({ id: "actor", actor });
  const before = await ref.call("ping");
  const restarted = new Promise((resolve) => system.on("actor_restarted", resolve));
  await ref.call("crash").catch((error: unknown) => {
    if (!isActorError(error, "ERR_CALL_EXIT")) throw error;
  });
  await restarted;
  console.log("works", before, await ref.call("ping"));
  await system.stop();
} catch (error) {
  console.log(isActorError(error) ? `${error.code} ${error.message}` : `${error}`);
}
