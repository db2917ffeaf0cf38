import { lifeOf, targetOf } from "../loop/create-context.js";
import { type ExitReason, KILLED, linkedReason, NOPROC } from "../protocol/errors/exit-reason.js";
import { CELL_WORDS, wantEnd } from "../protocol/memory/cells.js";
import type { Target } from "../protocol/port/messages.js";
import type { MemberSignal } from "../protocol/port/partition.js";
import type { ActorRef } from "../protocol/refs/actor-ref.js";
import { checkedReference } from "../protocol/refs/checked-reference.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";
import { decodeReason, encodeForeign } from "../protocol/values/encoded.js";
import { type Cell, ENDED } from "./cell.js";
import type { Lives } from "./lives.js";
import type { Mailboxes } from "./mailboxes.js";
import { copyOfReason, type PartitionParts } from "./parts.js";
import type { Roster } from "./roster.js";

/** The sender of an exit signal, as EXIT messages name it. */
interface Source {
  readonly id: string;
  /** Undefined for main. */
  readonly ref: ActorRef | PoolRef | undefined;
}

/**
 * Links and exit signals of members: between two of this partition directly, to all others by main. Whether a member
 * traps exits is known here only, so what main passes on is decided here.
 */
export class MemberLinks {
  readonly #parts: PartitionParts;
  readonly #roster: Roster;
  readonly #mailboxes: Mailboxes;
  readonly #lives: Lives;
  /** Members that have ended, and whose partners have not been told. */
  readonly #ended: { readonly cell: Cell; readonly reason: ExitReason }[] = [];
  #isTelling = false;

  constructor(parts: PartitionParts, roster: Roster, mailboxes: Mailboxes, lives: Lives) {
    this.#parts = parts;
    this.#roster = roster;
    this.#mailboxes = mailboxes;
    this.#lives = lives;
    lives.tellPartners = (cell, reason) => this.#tellPartners(cell, reason);
  }

  link(cell: Cell, ref: ActorRef | PoolRef): void {
    const target = checkedReference(ref, "ctx.link");
    if (!this.#roster.isHere(target)) {
      const { table, outbox } = this.#parts;
      // Before main hears of the link: it learns of this life's end, however soon that is.
      wantEnd(table, cell.number * CELL_WORDS, cell.incarnation);
      outbox.post({ type: "link", target: lifeOf("ctx.link", target, outbox), from: this.#asTarget(cell) });
      return;
    }
    const partner = this.#roster.meantBy(target);
    if (partner === cell) return;
    if (partner === undefined) {
      this.#signal(cell, { id: target.id, ref: target }, NOPROC, NOPROC);
      return;
    }
    cell.more.links.add(partner);
    partner.more.links.add(cell);
  }

  unlink(cell: Cell, ref: ActorRef | PoolRef): void {
    const target = checkedReference(ref, "ctx.unlink");
    if (!this.#roster.isHere(target)) {
      const { outbox } = this.#parts;
      outbox.post({
        type: "unlink",
        target: lifeOf("ctx.unlink", target, outbox),
        from: this.#asTarget(cell),
      });
      return;
    }
    const partner = this.#roster.meantBy(target);
    if (partner === undefined) return;
    cell.extras?.links.delete(partner);
    partner.extras?.links.delete(cell);
  }

  /** An exit signal from a member. */
  exit(cell: Cell, ref: ActorRef | PoolRef, reason: ExitReason | "kill"): void {
    const target = checkedReference(ref, "ctx.exit");
    if (!this.#roster.isHere(target)) {
      const { outbox } = this.#parts;
      outbox.post({
        type: "exit",
        target: targetOf("ctx.exit", target),
        reason: reason === "kill" ? reason : encodeForeign(outbox.codec, reason),
        from: this.#asTarget(cell),
      });
      return;
    }
    const meant = this.#roster.meantBy(target);
    if (meant === undefined) return;
    if (reason === "kill") this.#lives.end(meant, KILLED);
    else this.#signal(meant, { id: cell.id, ref: this.#roster.refTo(cell) }, reason, reason);
  }

  /** An exit signal that main passes on. */
  arrived({ cell, generation, life, source, reason, fatal }: MemberSignal): void {
    const member = this.#roster.cellOf(cell, generation);
    if (member === undefined || (life !== undefined && life !== member.incarnation)) return;
    if (reason === "kill") {
      this.#lives.end(member, KILLED);
      return;
    }
    const { codec } = this.#parts.outbox;
    const told = decodeReason(codec, reason);
    this.#signal(member, source, told, fatal === undefined ? told : decodeReason(codec, fatal));
  }

  /** `told` is the reason in an EXIT message; a member that does not trap exits ends with `fatal`. */
  #signal(cell: Cell, { id, ref }: Source, told: ExitReason, fatal: ExitReason): void {
    if (cell.phase === ENDED) return;
    if (cell.extras?.trapsExits === true) {
      const reason = copyOfReason(this.#parts, told);
      this.#mailboxes.putOwn(cell, { method: "", args: [{ type: "EXIT", id, ref, reason }] });
    } else if (told.kind !== "normal") {
      this.#lives.end(cell, fatal);
    }
  }

  /** A chain of links ends one member after the other, not one within the other: it may be as long as the partition. */
  #tellPartners(cell: Cell, reason: ExitReason): void {
    if (cell.extras === undefined || cell.extras.links.size === 0) return;
    this.#ended.push({ cell, reason });
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let next = this.#ended.shift(); next !== undefined; next = this.#ended.shift()) {
        const { cell: gone, reason: why } = next;
        const source = { id: gone.id, ref: this.#roster.refTo(gone) };
        const links = gone.more.links;
        for (const partner of links) {
          partner.extras?.links.delete(gone);
          this.#signal(partner, source, why, linkedReason(gone.id, why));
        }
        links.clear();
      }
    } finally {
      this.#isTelling = false;
    }
  }

  #asTarget(cell: Cell): Target {
    const { id, incarnation } = cell;
    return { address: this.#roster.addressOf(cell), uid: this.#roster.uidOf(cell), id, life: incarnation };
  }
}
