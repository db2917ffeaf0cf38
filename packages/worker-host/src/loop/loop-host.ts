import type { ActorLog } from "../actor/context.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import type { Members } from "./members.js";

/** What the loop asks of its host. */
export interface LoopHost {
  readonly log: ActorLog;
  /** Reports the reason and ends the thread. Does not return. */
  exit(reason: ExitReason): void;
  /** Ends the thread; the actor lives on in another one. */
  leave(): void;
  /** Answers main's request for a snapshot of this thread's heap, or its process's. */
  heapSnapshot?(request: number): void;
  /** Answers main's request for a profile of its process. */
  cpuProfile?(request: number, ms: number): void;
  /** Reports a message that the actor has no handler for, or a light actor, whose path is `id`. */
  unhandled(method: string, detail: string, id?: string): void;
  /** Present where the actor's state is in another process. */
  readonly state?: RemoteState;
  /** Present in a partition. */
  readonly members?: Members;
}

/** A state that this thread has to ask for. */
export interface RemoteState {
  getState(): Promise<unknown>;
  replaceState(state: unknown): Promise<void>;
}
