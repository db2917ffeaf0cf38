import type { ActorLog } from "../actor/context.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";

/** What the loop leaves to its host. */
export interface LoopHost {
  readonly log: ActorLog;
  /** Reports the reason and ends the thread. Does not return. */
  exit(reason: ExitReason): void;
  /** Ends the thread, whose actor lives on in another. */
  leave(): void;
  /** Answers main's request for a snapshot of this thread's heap. */
  heapSnapshot?(request: number): void;
  /** A message that no handler was there for. */
  unhandled(method: string, detail: string): void;
}
