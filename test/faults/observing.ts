// What both programs that run a fault share: run-fault.js and run-light-fault.js.
import { type ActorSystem, type ExitReason, isActorError } from "@mini-otp/runtime";
import { FAULTS } from "./fault-table.js";
import type { Observation } from "./observation.js";

/** The program's argument. */
export const FAULT = process.argv[2] ?? "";
export const ROW = FAULTS[FAULT];
export const moduleOf = (name: string) => new URL(`./${name}.actor.js`, import.meta.url);

let openCalls = 0;
/** Counts a call until it has settled. */
export async function settled(call: Promise<unknown>): Promise<string> {
  openCalls++;
  try {
    await call;
    return "replied";
  } catch (error) {
    return isActorError(error) ? error.code : String((error as Error).message);
  } finally {
    openCalls--;
  }
}

/** Returns how many of the system's threads have survived their kill, from now on. */
export function zombiesOf(system: ActorSystem): () => number {
  let zombies = 0;
  system.on("actor_zombie", () => zombies++);
  return () => zombies;
}

type Seen = Omit<Observation, "fault" | "node" | "reason" | "peakRssMb" | "openCalls"> & {
  readonly reason: ExitReason;
};

export function print({ reason, ...seen }: Seen): void {
  const observation: Observation = {
    fault: FAULT,
    node: process.version,
    reason: { ...reason, ...("error" in reason ? { error: String((reason.error as Error)?.message) } : {}) },
    ...seen,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
    openCalls,
  };
  // A fault may have left an unfinished line.
  console.log(`\n${JSON.stringify(observation)}`);
}
