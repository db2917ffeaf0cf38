import type { LoopState } from "./loop-state.js";
import type { OwnMessages } from "./own-messages.js";
import type { OwnMessage } from "./snapshot.js";

/** Where an actor's messages wait; `nextWork` needs only their order. */
export interface Mail {
  /** Moves to the next message. False when there is none. */
  next(): boolean;
}

/** There is nothing to do, or it has to wait. */
export const NOTHING = "nothing";
/** To end for `LoopState.stopping`. */
export const STOP = "stop";
/** To give the state to the thread that takes this one's place. */
export const HAND_OVER = "hand over";
/** To handle the message that the mailbox is at. */
export const MAIL = "mail";
/** To end for `LoopState.draining`: everything that was accepted has been handled. */
export const DRAINED = "drained";

/** One thing to do; an object is one of the actor's own messages. */
export type Work = typeof NOTHING | typeof STOP | typeof HAND_OVER | typeof MAIL | typeof DRAINED | OwnMessage;

/**
 * Takes what an actor does next, in a thread and inline: to stop, what `continueWith` asked for, DOWN and EXIT, due
 * timers, a hand-over, the mailbox, the end of a drain. While the actor is busy it does nothing else.
 */
export function nextWork(state: LoopState, own: OwnMessages, mailbox: Mail): Work {
  if (state.busy || state.frozen) return NOTHING;
  if (state.stopping !== undefined) return STOP;
  const { waits } = state;
  const message = waits ? undefined : own.next();
  if (message !== undefined) return message;
  if (state.handOver) return HAND_OVER;
  if (waits) return NOTHING;
  if (mailbox.next()) return MAIL;
  return state.draining === undefined ? NOTHING : DRAINED;
}
