import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";

/** What main knows of a thread when it has exited. */
export interface LastWords {
  /** The reason that the runtime killed it for, if it did. */
  readonly ordered: ExitReason | undefined;
  /** The reason that the thread reported. */
  readonly reported: ExitReason | undefined;
  /** The error that Node gives for its end. */
  readonly error: Error | undefined;
  /** Its `init` was not done. */
  readonly starting: boolean;
}

/** The exit reason: the runtime's, else the thread's own, else the one that Node's error stands for. */
export function exitCause(
  id: string,
  heapCapMb: number,
  { ordered, reported, error, starting }: LastWords,
): ExitReason {
  const said = ordered ?? reported;
  if (said !== undefined) return said;
  if ((error as { code?: string } | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY") {
    // V8 gave up at its own limit and says no number: the cap stands for it.
    return { kind: "heap_cap_exceeded", heapCapMb, usedMb: heapCapMb };
  }
  if (error !== undefined) return { kind: "error", error };
  if (starting) {
    const message = `${id}: the module never finished loading (a top-level await that nothing settles)`;
    return { kind: "init_failed", error: new ActorError("ERR_ACTOR_MODULE", message, { id }) };
  }
  return { kind: "exit_called", code: 0 };
}
