import { cellOfTarget, generationOfTarget } from "../protocol/calls/member-peer.js";
import { describe } from "../protocol/errors/describe.js";
import type { ActorError } from "../protocol/errors/errors.js";
import {
  KIND_CALL,
  KIND_SEND,
  kindOf,
  R_CORRELATION,
  R_METHOD,
  R_SENDER_ADDRESS,
  R_SENDER_UID,
  R_SEQ,
  R_TYPE,
} from "../protocol/memory/record-descriptor.js";
import { FORMAT_MEMBER, FORMAT_TRACED, type Payload } from "../protocol/ring/payload.js";
import { PUSHED } from "../protocol/ring/ring-writer.js";
import { type Caller, type Cell, mailboxFull, Waiting } from "./cell.js";
import type { Mailboxes } from "./mailboxes.js";
import { nameOf, type PartitionParts } from "./parts.js";
import type { RingReplies } from "./ring-caller.js";
import type { Roster } from "./roster.js";

/** Messages that come for members by the partition's ring. */
export class Arrivals {
  readonly #parts: PartitionParts;
  readonly #roster: Roster;
  readonly #mailboxes: Mailboxes;
  readonly #replies: RingReplies;

  /** From then on nothing is put into mailboxes here: `late` gets what still comes. */
  late: ((cell: Cell, waiting: Waiting) => void) | undefined;

  constructor(parts: PartitionParts, roster: Roster, mailboxes: Mailboxes, replies: RingReplies) {
    this.#parts = parts;
    this.#roster = roster;
    this.#mailboxes = mailboxes;
    this.#replies = replies;
  }

  receive(
    header: Int32Array,
    methodText: string,
    payload: Payload,
    countedBytes: number,
    transferred?: readonly unknown[],
  ): void {
    const seq = header[R_SEQ];
    // The former thread ended before it had passed the record.
    if (this.#mailboxes.hasArrived(seq)) return;
    const kind = kindOf(header[R_TYPE]);
    const isCall = kind === KIND_CALL;
    const method = methodText === "" ? header[R_METHOD] : methodText;
    const caller = isCall
      ? this.#replies.to(header[R_SENDER_ADDRESS], header[R_SENDER_UID], header[R_CORRELATION])
      : undefined;
    const traced = (payload.format & FORMAT_TRACED) !== 0;
    payload.format &= ~(FORMAT_TRACED | FORMAT_MEMBER);
    let args: unknown[];
    try {
      args = this.#parts.outbox.codec.decodeArgs(payload, transferred);
    } catch (error) {
      if (caller !== undefined) caller.fail(error);
      else this.#parts.unhandled(this.#nameOf(method), `undecodable: ${describe(error)}`);
      return;
    }
    const target = args.pop() as number | string;
    if (traced) args.pop();
    const byName = typeof target === "string";
    const cell = byName
      ? this.#roster.named(target)
      : this.#roster.cellOf(cellOfTarget(target), generationOfTarget(target));
    if (cell === undefined) {
      const name = this.#nameOf(method);
      this.#refuse(caller, name, this.#roster.gone(target, name));
      return;
    }
    const waiting = new Waiting(method, args, countedBytes, caller, kind === KIND_SEND);
    // By a cell's address the sender has counted it already.
    if (byName) {
      const name = this.#nameOf(method);
      if (this.#mailboxes.offer(cell, waiting, seq) === PUSHED) this.late?.(cell, waiting);
      else this.#refuse(caller, name, mailboxFull(this.#parts.table, cell, name));
    } else if (this.late === undefined) {
      this.#mailboxes.put(cell, waiting, seq);
    } else {
      this.#mailboxes.count(cell, waiting, seq);
      this.late(cell, waiting);
    }
  }

  #refuse(caller: Caller | undefined, method: string, error: ActorError): void {
    if (caller !== undefined) caller.fail(error);
    else this.#parts.news.lost(method);
  }

  #nameOf(method: number | string): string {
    return nameOf(this.#parts.outbox.names, method);
  }
}
