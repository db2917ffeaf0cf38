import type { ExitReason } from "../protocol/errors/exit-reason.js";

/** How far an incarnation is on its way from its start to its end, or to another thread. */
export class LoopState {
  /** A message is being handled. Until `init` is done, that is. */
  busy = true;
  /** User messages wait. */
  suspended = false;
  /** Another thread is to take this one's place before the next message. */
  handOver = false;
  /** The state has been handed over: the loop handles nothing here any more, unless main says to go on. */
  frozen = false;
  /** To end before the next message. */
  stopping: ExitReason | undefined;
  /** To end when what was accepted has been handled. */
  draining: ExitReason | undefined;
  ended = false;

  get stopRequested(): boolean {
    return this.stopping !== undefined || this.draining !== undefined;
  }

  /** The loop listens to main and to replies only. A drain goes on although the actor is suspended. */
  get waits(): boolean {
    return this.suspended && this.draining === undefined;
  }
}
