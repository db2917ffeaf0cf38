import {
  acquire,
  attemptOf,
  CLAIMED_SEQ,
  CLAIMS,
  claimTaken,
  countLost,
  deliverAgain,
  endClaim,
  HANDLED_SEQ,
  HEAD,
  IN_FLIGHT,
  IN_FLIGHT_OFFSET,
  isToDeliverAgain,
  LOCK,
  LOST,
  MAILBOX_LANE,
  MAX_ATTEMPT,
  MAX_DELIVERIES,
  type Producer,
  R_SEQ,
  R_TYPE,
  release,
  TO_DELIVER_AGAIN,
  unclaim,
  withAttempt,
} from "@mini-otp/worker-host/protocol/memory";
import { Mailbox, type Undelivered } from "./mailbox.js";

const lane = MAILBOX_LANE;

/**
 * The same for a mailbox whose producers drop the oldest record when it is full. They move the head too, under the
 * lock, and the message being handled has left the ring for the in-flight area: see `DroppingReader`.
 */
export class DroppingMailbox extends Mailbox {
  override get isEmpty(): boolean {
    // The in-flight area last: the consumer fills it before it moves the head.
    return super.isEmpty && this.words[lane + IN_FLIGHT] === 0;
  }

  override get consumedBefore(): number {
    // A producer fails the calls that it drops, so they need no answer here.
    const words = this.words;
    return isToDeliverAgain(words, lane) ? words[this.#inFlight + R_SEQ] : words[lane + CLAIMED_SEQ];
  }

  override recover(): Undelivered | undefined {
    const words = this.words;
    const claimedAt = words[lane + IN_FLIGHT];
    // TO_DELIVER_AGAIN: this incarnation died before it came to that message.
    if (claimedAt === 0 || claimedAt === TO_DELIVER_AGAIN) return undefined;
    if (claimedAt === (Atomics.load(words, lane + HEAD) | 1)) {
      this.#unclaim(claimedAt);
      return undefined;
    }
    const at = this.#inFlight;
    const type = words[at + R_TYPE];
    const attempts = attemptOf(type) + 1;
    if (attempts < words[MAX_DELIVERIES]) {
      words[at + R_TYPE] = withAttempt(type, Math.min(attempts, MAX_ATTEMPT));
      deliverAgain(words, lane);
      return undefined;
    }
    endClaim(words, lane);
    countLost(words);
    return this.undeliveredAt(at, attempts);
  }

  /** Takes nothing when the lock's owner is dying at this moment; then the messages wait for the next incarnation. */
  override takeAll(producer: Producer): Undelivered[] {
    const words = this.words;
    if (!acquire(words, lane + LOCK, producer)) return [];
    const claimed = this.#takeClaimed();
    const waiting = super.takeAll(producer);
    claimTaken(words, lane, waiting.length);
    release(words, lane + LOCK);
    return claimed.concat(waiting);
  }

  override get handled(): number {
    return (this.words[lane + CLAIMS] - this.words[LOST]) | 0;
  }

  /**
   * Number of accepted messages that left the ring unclaimed, exact also after a producer's death; an int32 that wraps.
   */
  override get dropped(): number {
    // In this order: a claim between the two reads makes the number too small for the moment, never too large.
    const gone = Atomics.load(this.words, lane + HANDLED_SEQ);
    return (gone - this.words[lane + CLAIMS]) | 0;
  }

  /** First word of the record in the in-flight area. */
  get #inFlight(): number {
    return this.words[lane + IN_FLIGHT_OFFSET] >> 2;
  }

  /** The record was copied, but never taken out of the ring: it has not been delivered. */
  #unclaim(claimedAt: number): void {
    const words = this.words;
    unclaim(words, lane, words[this.skipPadding(claimedAt & ~7) + R_SEQ]);
  }

  #takeClaimed(): Undelivered[] {
    const words = this.words;
    if (words[lane + IN_FLIGHT] === 0) return [];
    endClaim(words, lane);
    countLost(words);
    const at = this.#inFlight;
    return [this.undeliveredAt(at, attemptOf(words[at + R_TYPE]))];
  }
}

/** The mailbox in a slot, by the slot's overflow policy. */
export function mailboxIn(words: Int32Array): Mailbox {
  return words[lane + IN_FLIGHT_OFFSET] === 0 ? new Mailbox(words) : new DroppingMailbox(words);
}
