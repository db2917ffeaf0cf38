import type { MemberRequest, MemberTrace } from "../loop/members.js";
import { Tracer } from "../loop/tracer.js";
import { ActorError } from "../protocol/errors/errors.js";
import { CELL_SUSPENDED, CELL_WORDS } from "../protocol/memory/cells.js";
import type { ToMain } from "../protocol/port/messages.js";
import { payloadOf } from "../protocol/values/encoded.js";
import { type Cell, ENDED, STARTING } from "./cell.js";
import type { Line } from "./line.js";
import type { Lives } from "./lives.js";
import type { PartitionParts } from "./parts.js";
import type { Roster } from "./roster.js";

/** Main's requests to one member: to suspend it, for its state, and for a trace of its messages. Carried out between two messages of the thread. */
export class MemberRequests {
  readonly #parts: PartitionParts;
  readonly #roster: Roster;
  readonly #line: Line;
  readonly #lives: Pick<Lives, "begin">;

  constructor(parts: PartitionParts, roster: Roster, line: Line, lives: Pick<Lives, "begin">) {
    this.#parts = parts;
    this.#roster = roster;
    this.#line = line;
    this.#lives = lives;
  }

  /** Returns the answer. Throws ERR_NOPROC for a member that does not run, and for a state that cannot be decoded. */
  carryOut(request: MemberRequest): unknown {
    const { cell: number, generation, id } = request.member;
    const cell = this.#roster.cellOf(number, generation);
    // Its turn to begin another life has not come yet.
    if (cell?.phase === STARTING && !cell.busy) this.#lives.begin(cell);
    if (cell?.context === undefined || cell.phase === STARTING || cell.phase === ENDED) {
      throw new ActorError("ERR_NOPROC", `id=${id}: the actor is not running`, { id });
    }
    switch (request.type) {
      case "suspend":
      case "resume":
        this.#suspend(cell, request.type === "suspend");
        return undefined;
      case "get_state":
        return cell.context.state;
      case "replace_state":
        cell.context.state = this.#parts.outbox.codec.decodeValue(payloadOf(request.state));
        return undefined;
    }
  }

  /** Of a member that has ended nothing is traced: main has heard of its end, or will. */
  trace(request: MemberTrace): void {
    const { member } = request;
    const cell = this.#roster.cellOf(member.cell, member.generation);
    if (cell === undefined) return;
    const { more } = cell;
    switch (request.type) {
      case "trace":
        more.tracer ??= new Tracer((traced) => this.#parts.outbox.post({ ...traced, member } as ToMain));
        more.tracer.watch(request);
        break;
      case "trace_credit":
        more.tracer?.grant(request.trace, request.credit);
        break;
      case "untrace":
        more.tracer?.unwatch(request.trace);
        if (more.tracer?.idle) more.tracer = undefined;
        break;
    }
  }

  #suspend(cell: Cell, suspended: boolean): void {
    cell.suspended = suspended;
    // Main's stats read it there.
    Atomics.store(this.#parts.table, cell.number * CELL_WORDS + CELL_SUSPENDED, suspended ? 1 : 0);
    this.#line.wake(cell);
  }
}
