import { setTimeout as delay } from "node:timers/promises";
import { type ExitReason, isActorError, startSystem } from "@mini-otp/runtime";
import { spreadOf } from "../statistics.js";
import type Mortal from "./mortal.actor.js";

const CRASHES = 40;
/** Time for the next spare to load. */
const PAUSE_MS = 150;

/** From the throw in one incarnation until the next has handled the message that waited, in ms. */
export async function restartLatency(): Promise<void> {
  for (const spares of [2, 0]) {
    const system = await startSystem({ logger: false, intensity: 10 * CRASHES, spares });
    const actor = new URL("./mortal.actor.js", import.meta.url);
    const ref = await system.startChild<typeof Mortal>({ id: "mortal", actor });
    const takenMs: number[] = [];
    for (let i = 0; i < CRASHES; i++) {
      const crashed = ref.call("crash").then(
        () => Number.NaN,
        (error: unknown) => crashedAtMs(error),
      );
      const handledAtMs = await ref.call("handledAtMs");
      takenMs.push(handledAtMs - (await crashed));
      await delay(PAUSE_MS);
    }
    await system.stop();
    // The first crash finds no spare: one is kept for actors that were restarted before.
    const { median, min, max } = spreadOf(takenMs.slice(1));
    const how = spares === 0 ? "cold" : "spare thread";
    console.log(
      `restart, ${how}: ${median.toFixed(1)} ms from crash to message handled (${min.toFixed(1)} – ${max.toFixed(1)})`,
    );
  }
}

function crashedAtMs(error: unknown): number {
  const reason = isActorError(error, "ERR_CALL_EXIT") ? (error as { reason?: ExitReason }).reason : undefined;
  if (reason?.kind !== "error") throw error;
  return (reason.error as { atMs: number }).atMs;
}
