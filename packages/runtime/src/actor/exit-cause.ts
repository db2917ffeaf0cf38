import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";

/** What was known of a thread when it exited. */
export interface LastWords {
  /** Why the runtime ended it, when it did. */
  readonly ordered: ExitReason | undefined;
  /** What it said before it left. */
  readonly reported: ExitReason | undefined;
  /** What Node says it died of. */
  readonly error: Error | undefined;
  /** Its `init` was not done. */
  readonly starting: boolean;
}

/** What the runtime ordered, else what the thread reported, else what Node says; never the exit code. */
export function exitCause(
  id: string,
  heapCapMb: number,
  { ordered, reported, error, starting }: LastWords,
): ExitReason {
  const said = ordered ?? reported;
  if (said !== undefined) return said;
  if ((error as { code?: string } | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY") {
    // V8 gave up at its limit: the cap and nothing more precise.
    return { kind: "heap_cap_exceeded", heapCapMb, usedMb: heapCapMb };
  }
  if (error !== undefined) return { kind: "error", error };
  if (starting) {
    const message = `${id}: the module never finished loading (a top-level await that nothing settles)`;
    return { kind: "init_failed", error: new ActorError("ERR_ACTOR_MODULE", message) };
  }
  return { kind: "exit_called", code: 0 };
}
