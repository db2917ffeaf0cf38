import { CELL_IDENTITY, CELL_WORDS, TABLE_CURRENT } from "../protocol/memory/cells.js";
import { STATE_OPEN } from "../protocol/memory/slot-descriptor.js";
import type { LastWords, SavedMessage } from "../protocol/port/partition.js";
import type { Codec } from "../protocol/values/codec.js";
import { type Encoded, encoded } from "../protocol/values/encoded.js";
import type { Cell, Waiting } from "./cell.js";
import type { Mailboxes } from "./mailboxes.js";
import type { PartitionParts } from "./parts.js";
import type { Roster } from "./roster.js";

/** Messages in one list: one that no message can carry costs its list a second try, one by one. */
const MESSAGES_A_LIST = 256;

/** Who waits for the reply to a call of another thread. */
interface Remote {
  readonly address: number;
  readonly uid: number;
  readonly correlation: number;
}

/**
 * What a partition's thread writes out before it ends, of the members that are started again: what waits on its heap. It
 * may run between any two functions of user code, so it calls none.
 */
export class LastWordsWriter {
  readonly #parts: PartitionParts;
  readonly #roster: Roster;
  readonly #mailboxes: Mailboxes;

  constructor(parts: PartitionParts, roster: Roster, mailboxes: Mailboxes) {
    this.#parts = parts;
    this.#roster = roster;
    this.#mailboxes = mailboxes;
  }

  /** True while code of a member runs, so that no code of the partition is half way. */
  get isInMember(): boolean {
    return this.#parts.table[TABLE_CURRENT] !== 0 || this.#parts.attribution.current !== undefined;
  }

  /** Takes the messages out: from then on nothing handles them here. `heaviest`: who holds too much. */
  write(heaviest: Cell | undefined): LastWords {
    const saving = new Saving(this.#parts.outbox.codec);
    for (const cell of this.#roster.cells) {
      if (!this.#isKept(cell)) continue;
      for (let waiting = cell.first; waiting !== undefined; waiting = waiting.next) saving.add(cell, waiting);
      this.#mailboxes.forget(cell);
    }
    return saving.words(this.#culprit, heaviest === undefined ? undefined : [heaviest.number, heaviest.generation]);
  }

  /** One that came by the ring afterwards. */
  late(cell: Cell, waiting: Waiting): LastWords {
    const saving = new Saving(this.#parts.outbox.codec);
    if (this.#isKept(cell)) saving.add(cell, waiting);
    return saving.words(this.#culprit);
  }

  get #culprit(): LastWords["culprit"] {
    const { attribution, table } = this.#parts;
    const number = attribution.current?.number ?? table[TABLE_CURRENT];
    return number === 0 ? undefined : [number, table[number * CELL_WORDS + CELL_IDENTITY] >>> 2];
  }

  #isKept({ kept, number, type }: Cell): boolean {
    const state = this.#parts.table[number * CELL_WORDS + CELL_IDENTITY] & 3;
    return kept && !type.spec.dropsOnRestart && state === STATE_OPEN;
  }
}

class Saving {
  readonly #codec: Codec;
  readonly #messages: Encoded[] = [];
  readonly #counts = new Map<number, { count: number; bytes: number }>();
  readonly #calls: [number, number][] = [];
  #list: SavedMessage[] = [];

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  add({ number, generation }: Cell, { method, args, bytes, caller, isSend }: Waiting): void {
    const kind = isSend ? 2 : caller === undefined ? 0 : 1;
    const { address = 0, uid = 0, correlation = 0 } = (caller ?? {}) as Partial<Remote>;
    this.#list.push([number, generation, kind, method, args, bytes, address, uid, correlation]);
    if (this.#list.length === MESSAGES_A_LIST) this.#close();
  }

  words(culprit: LastWords["culprit"], heaviest?: LastWords["heaviest"]): LastWords {
    this.#close();
    const counts = [...this.#counts].map(([cell, { count, bytes }]) => [cell, count, bytes] as const);
    return { type: "last_words", culprit, heaviest, messages: this.#messages, counts, calls: this.#calls };
  }

  #close(): void {
    const list = this.#list;
    if (list.length === 0) return;
    this.#list = [];
    if (this.#encode(list)) return;
    // What was handed over as it is, an emitter's event, may be what no message can carry: that is lost.
    for (const message of list) this.#encode([message]);
  }

  #encode(list: readonly SavedMessage[]): boolean {
    try {
      this.#messages.push(encoded(this.#codec.encodeValue(list)));
    } catch {
      return false;
    }
    for (const [cell, , , , , bytes, , uid, correlation] of list) {
      const counted = this.#counts.get(cell) ?? { count: 0, bytes: 0 };
      this.#counts.set(cell, { count: counted.count + 1, bytes: counted.bytes + bytes });
      if (uid !== 0) this.#calls.push([uid, correlation]);
    }
    return true;
  }
}
