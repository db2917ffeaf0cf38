import { defineActor } from "../actor/define-actor.js";
import { HandlerTable } from "../loop/handler-table.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import type { Inheritance, MemberSpec, SavedMessage } from "../protocol/port/partition.js";
import { decodeForeign, decodeReason, payloadOf } from "../protocol/values/encoded.js";
import { type Caller, type Cell, Waiting } from "./cell.js";
import type { Lives } from "./lives.js";
import type { Mailboxes } from "./mailboxes.js";
import type { MemberType } from "./member-type.js";
import { exited, nameOf, type PartitionParts } from "./parts.js";
import type { RingReplies } from "./ring-caller.js";
import type { Roster } from "./roster.js";

/** The caller of a call whose own thread was this partition's. */
const NO_CALLER: Caller = { succeed: () => {}, fail: () => {}, is: () => false };

export interface HeirsParts {
  readonly roster: Roster;
  readonly lives: Lives;
  readonly mailboxes: Mailboxes;
  readonly replies: RingReplies;
}

/** The members that a partition takes over from its former thread, with the messages that they had accepted. */
export class Heirs {
  readonly #partition: PartitionParts;
  readonly #parts: HeirsParts;

  constructor(partition: PartitionParts, parts: HeirsParts) {
    this.#partition = partition;
    this.#parts = parts;
  }

  /** Takes them over. Their lives begin at their turns, from `wake` on. */
  async take(inherited: Inheritance | undefined, typeOf: (spec: MemberSpec) => Promise<MemberType>): Promise<Cell[]> {
    const { roster, lives } = this.#parts;
    if (inherited === undefined) {
      roster.recover(new Set(), undefined);
      return [];
    }
    const { specs, members, messages } = inherited;
    const { codec, names } = this.#partition.outbox;
    const reason = decodeReason(codec, inherited.reason);
    const types = await Promise.all(
      specs.map((spec) =>
        typeOf(spec).catch((error: Error) => unloadable(spec, error, (d) => new HandlerTable(d, names))),
      ),
    );
    // From here on without a turn of the event loop: for main all of it has been done, or nothing.
    roster.recover(new Set(members.map(([, cell]) => cell)), reason);
    const heirs = members.map(([name, number, generation, spec, args]) =>
      lives.inherit(types[spec], name, number, generation, decodeForeign(codec, args)),
    );
    for (const list of messages) {
      for (const message of codec.decodeValue(payloadOf(list)) as SavedMessage[]) this.#deliver(message, reason);
    }
    this.#partition.news.inherited();
    this.#partition.news.flush();
    return heirs;
  }

  #deliver(
    [number, generation, kind, method, args, bytes, address, uid, correlation]: SavedMessage,
    reason: ExitReason,
  ): void {
    const { roster, mailboxes, replies } = this.#parts;
    const caller = kind !== 1 ? undefined : uid === 0 ? NO_CALLER : replies.to(address, uid, correlation);
    const cell = roster.cellOf(number, generation);
    if (cell !== undefined) {
      mailboxes.putBack(cell, new Waiting(method, args, bytes, caller, kind === 2));
      return;
    }
    const name = nameOf(this.#partition.outbox.names, method);
    caller?.fail(exited({ id: `${this.#partition.supervisor}/?` }, name, reason));
    this.#partition.news.lost(name);
  }
}

/** Its lives fail to begin, as those of an actor do whose file is gone. */
function unloadable(spec: MemberSpec, error: Error, tableOf: (definition: any) => HandlerTable): MemberType {
  const init = (): never => {
    throw error;
  };
  const definition = defineActor({ init, handlers: {} }) as MemberType["definition"];
  return { spec, definition, handlers: tableOf(definition), survivesThrows: false };
}
