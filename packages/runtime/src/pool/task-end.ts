import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";

/** What a task rejects with when it has no result. */
export class TaskEnd {
  /** A TaskFailure, or piscina's error about the thread. */
  readonly error: unknown;
  /** 0 when no thread had the task yet. */
  readonly threadId: number;
  readonly timeOver: ExitReason | undefined;
  /** Something that the task transfers was closed or detached before it could be posted. */
  readonly notPosted: boolean;

  constructor(error: unknown, threadId: number, timeOver: ExitReason | undefined, notPosted: boolean) {
    this.error = error;
    this.threadId = threadId;
    this.timeOver = timeOver;
    this.notPosted = notPosted;
  }
}
