import { ActorError } from "../errors/errors.js";
import { countDropped, isFirstToFindFull } from "../memory/counters.js";
import { methodOf, methodTextIn, numberedName } from "../memory/method-name.js";
import type { NameTable } from "../memory/name-table.js";
import {
  formatOf,
  KIND_CALL,
  KIND_STREAM,
  kindOf,
  R_CORRELATION,
  R_LENGTH,
  R_METHOD,
  R_SENDER_ADDRESS,
  R_SENDER_UID,
  R_TYPE,
  RECORD_HEADER_WORDS,
} from "../memory/record-descriptor.js";
import { CAPACITY, DATA_BYTES, MAILBOX_LANE, type OverflowPolicy } from "../memory/slot-descriptor.js";
import { FORMAT_PARCEL, type Payload } from "../ring/payload.js";
import type { TellMain } from "./parcel-writer.js";
import type { Peer } from "./peers.js";

/** Sends a failure to the caller in the slot at `address`. */
type FailCall = (address: number, uid: number, correlation: number, error: ActorError) => void;

/** Accounts for what one thread's messages to full mailboxes lead to: notices to main, counts, failed calls. */
export class Overflow {
  readonly #names: NameTable;
  readonly #tellMain: TellMain;
  readonly #failCall: FailCall;

  constructor(names: NameTable, tellMain: TellMain, failCall: FailCall) {
    this.#names = names;
    this.#tellMain = tellMain;
    this.#failCall = failCall;
  }

  /** Tells main that a mailbox is full: once for all senders, until main has seen that there is room again. */
  full(to: Peer, method: number, payload: Payload): void {
    if (isFirstToFindFull(to.mailbox.words))
      this.#tellMain({ type: "mailbox_full", uid: to.uid, method: methodOf(this.#names, method, payload) });
  }

  /** Counts a message that the mailbox's policy drops, and sends it to the dead letters. */
  drop(to: Peer, method: string): void {
    countDropped(to.words);
    to.member?.countDropped();
    this.#tellMain({ type: "dropped", id: to.id, method });
  }

  /** Drops what a push took out of the mailbox to make room, and fails the calls and streams among it. */
  dropOldest(to: Peer): void {
    for (const record of to.mailbox.dropped.splice(0)) {
      const type = record[R_TYPE];
      const method = this.#methodOfRecord(record);
      this.drop(to, method);
      if (formatOf(type) === FORMAT_PARCEL) {
        const [owner, number] = record.subarray(RECORD_HEADER_WORDS);
        this.#tellMain({ type: "parcel_lost", owner, number });
      }
      if (kindOf(type) !== KIND_CALL && kindOf(type) !== KIND_STREAM) continue;
      this.#failCall(record[R_SENDER_ADDRESS], record[R_SENDER_UID], record[R_CORRELATION], mailboxFull(to, method));
    }
  }

  #methodOfRecord(record: Int32Array): string {
    const method = record[R_METHOD];
    if (method >= 0) return numberedName(this.#names, method);
    return methodTextIn(method, new Uint8Array(record.buffer), record[R_LENGTH]);
  }
}

/** A mailbox with its options. */
export interface LimitedMailbox {
  readonly id: string;
  readonly capacity: number;
  readonly capacityBytes: number;
  readonly overflow: OverflowPolicy;
  readonly blockTimeoutMs: number;
}

export function mailboxFull(to: Peer, method: string): ActorError {
  const { id, words, overflow, blockTimeoutMs, member } = to;
  const capacity = member?.capacity ?? words[MAILBOX_LANE + CAPACITY];
  const capacityBytes = member?.capacityBytes ?? words[MAILBOX_LANE + DATA_BYTES];
  return fullMailbox({ id, capacity, capacityBytes, overflow, blockTimeoutMs }, method);
}

export function fullMailbox(mailbox: LimitedMailbox, method: string): ActorError {
  const { id, capacity, capacityBytes, overflow, blockTimeoutMs } = mailbox;
  const options = `capacity=${capacity}, capacityBytes=${capacityBytes}, overflow="${overflow}"`;
  const wait = overflow === "block" ? `, blockTimeoutMs=${blockTimeoutMs}` : "";
  const message = `id=${id} method=${method}: the mailbox is full (${options}${wait})`;
  const facts = { id, method, capacity, capacityBytes, overflow, blockTimeoutMs };
  return new ActorError("ERR_MAILBOX_FULL", message, facts);
}
