import { cellOfTarget, generationOfTarget } from "../protocol/calls/member-peer.js";
import { ActorError } from "../protocol/errors/errors.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import {
  CELL_ACCEPTED,
  CELL_ACCEPTED_HERE,
  CELL_BYTES,
  CELL_CAPACITY,
  CELL_CAPACITY_BYTES,
  CELL_DROPPED,
  CELL_HEAP,
  CELL_HEAP_BYTES,
  CELL_IDENTITY,
  CELL_INCARNATION,
  CELL_POLICY,
  CELL_RESTART,
  CELL_SUSPENDED,
  CELL_TAKEN,
  CELL_WATCHED,
  CELL_WORDS,
  cellAddress,
  cellOf,
  FIRST_CELL,
  generationOf,
  isCellAddress,
  nextGeneration,
  segmentOfCell,
  TABLE_CELLS,
  TABLE_MEMBERS,
  TABLE_USED,
  uidOfGeneration,
} from "../protocol/memory/cells.js";
import { STATE_CLOSED, STATE_DRAINING, STATE_OPEN } from "../protocol/memory/slot-descriptor.js";
import { ActorRef } from "../protocol/refs/actor-ref.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";
import { alreadyStarted, noproc } from "../protocol/refs/refusal.js";
import { Cell } from "./cell.js";
import type { MemberType } from "./member-type.js";
import { exited, type PartitionParts } from "./parts.js";

/** So many of the latest ends are remembered. */
const MAX_REMEMBERED = 1024;

interface End {
  readonly generation: number;
  readonly id: string;
  readonly reason: ExitReason;
}

/** Which members live, by cell and by name, and which have ended of late: each life has a cell of its own. */
export class Roster {
  readonly #parts: Pick<PartitionParts, "supervisor" | "segment" | "table" | "outbox">;
  readonly #cells: (Cell | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #names = new Map<string, Cell>();
  /** By cell. */
  readonly #ended = new Map<number, End>();
  #formerReason: ExitReason | undefined;

  constructor(parts: Pick<PartitionParts, "supervisor" | "segment" | "table" | "outbox">) {
    this.#parts = parts;
  }

  get cells(): IterableIterator<Cell> {
    return this.#names.values();
  }

  /** By its path. */
  named(id: string): Cell | undefined {
    const { supervisor } = this.#parts;
    return id.startsWith(`${supervisor}/`) ? this.#names.get(id.slice(supervisor.length + 1)) : undefined;
  }

  byName(name: string): Cell | undefined {
    return this.#names.get(name);
  }

  cellOf(number: number, generation: number): Cell | undefined {
    const cell = this.#cells[number];
    return cell !== undefined && cell.generation === generation ? cell : undefined;
  }

  /** False for what is somewhere else. */
  isHere(ref: ActorRef | PoolRef): ref is ActorRef {
    if (!(ref instanceof ActorRef) || !isCellAddress(ref.address)) return false;
    return segmentOfCell(ref.address) === this.#parts.segment;
  }

  /** The live member that a reference means; undefined also for one of another partition. */
  meantBy(ref: ActorRef | PoolRef): Cell | undefined {
    if (!this.isHere(ref)) return undefined;
    const number = cellOf(ref.address);
    return number === 0 ? this.named(ref.id) : this.cellOf(number, generationOf(ref.uid));
  }

  addressOf(cell: Cell): number {
    return cellAddress(this.#parts.segment, cell.number);
  }

  uidOf(cell: Cell): number {
    return uidOfGeneration(cell.generation);
  }

  refTo(cell: Cell): ActorRef {
    return new ActorRef(this.#parts.outbox, this.addressOf(cell), this.uidOf(cell), cell.id);
  }

  /** Begins a life. Throws ERR_ALREADY_STARTED, ERR_MAX_CHILDREN. */
  create(type: MemberType, name: string, args: unknown): Cell {
    const { supervisor, table } = this.#parts;
    const present = this.#names.get(name);
    if (present !== undefined) throw alreadyStarted(present.id, this.refTo(present));
    const number = this.#free.pop() ?? this.#unused();
    if (number === undefined) {
      const id = `${supervisor}/${name}`;
      throw new ActorError("ERR_MAX_CHILDREN", `${id} would be one child more than this partition has room for`, {
        id,
      });
    }
    const at = number * CELL_WORDS;
    const generation = nextGeneration(table[at + CELL_IDENTITY]);
    table[at + CELL_ACCEPTED] = table[at + CELL_ACCEPTED_HERE] = table[at + CELL_TAKEN] = table[at + CELL_BYTES] = 0;
    table[at + CELL_WATCHED] = 0;
    table[at + CELL_SUSPENDED] = 0;
    table[at + CELL_INCARNATION] = 1;
    table[at + CELL_HEAP] = table[at + CELL_HEAP_BYTES] = table[at + CELL_DROPPED] = 0;
    table[at + CELL_RESTART] = type.spec.restart;
    table[at + CELL_CAPACITY] = type.spec.capacity;
    table[at + CELL_CAPACITY_BYTES] = type.spec.capacityBytes;
    table[at + CELL_POLICY] = type.spec.policy;
    Atomics.store(table, at + CELL_IDENTITY, (generation << 2) | STATE_OPEN);
    const cell = new Cell(number, generation, name, supervisor, type, args);
    this.#cells[number] = cell;
    this.#names.set(name, cell);
    Atomics.store(table, TABLE_MEMBERS, this.#names.size);
    return cell;
  }

  /** Its mailbox takes no more. */
  drain({ number, generation }: Cell): void {
    Atomics.store(this.#parts.table, number * CELL_WORDS + CELL_IDENTITY, (generation << 2) | STATE_DRAINING);
  }

  /** Nothing finds it any more. Its cell stays its own until `free`. */
  close(cell: Cell): void {
    const { table } = this.#parts;
    const { number, generation, name } = cell;
    Atomics.store(table, number * CELL_WORDS + CELL_IDENTITY, (generation << 2) | STATE_CLOSED);
    if (this.#names.get(name) === cell) this.#names.delete(name);
    this.#cells[number] = undefined;
    Atomics.store(table, TABLE_MEMBERS, this.#names.size);
  }

  /** For messages that are on their way: they were accepted while it lived. */
  remember({ number, generation, id }: Cell, reason: ExitReason): void {
    const ended = this.#ended;
    ended.delete(number);
    const [oldest] = ended.keys();
    if (ended.size >= MAX_REMEMBERED) ended.delete(oldest);
    ended.set(number, { generation, id, reason });
  }

  /** The next life of a member that has ended: with its cell, so that all references to it mean this life. */
  succeed(former: Cell, failures: readonly number[]): Cell {
    const { supervisor } = this.#parts;
    const { number, generation, name, type, args } = former;
    const cell = new Cell(number, generation, name, supervisor, type, args);
    cell.history = { incarnation: former.incarnation + 1, failures };
    former.successor = cell;
    this.#settle(cell);
    return cell;
  }

  /** In the cell of its former life. */
  #settle(cell: Cell): void {
    const { table } = this.#parts;
    const { number, name, incarnation } = cell;
    this.#cells[number] = cell;
    this.#names.set(name, cell);
    Atomics.store(table, TABLE_MEMBERS, this.#names.size);
    const at = number * CELL_WORDS;
    Atomics.store(table, at + CELL_SUSPENDED, 0);
    Atomics.store(table, at + CELL_INCARNATION, incarnation);
  }

  /** From now on another life may have this cell. */
  free({ number }: Cell): void {
    this.#free.push(number);
  }

  /** Why a message that was accepted finds no member. */
  gone(target: number | string, method: string): ActorError {
    if (typeof target === "string") return noproc({ id: target }, method);
    const ended = this.#ended.get(cellOfTarget(target));
    if (ended?.generation === generationOfTarget(target)) return exited(ended, method, ended.reason);
    const id = `${this.#parts.supervisor}/?`;
    return this.#formerReason === undefined ? noproc({ id }, method) : exited({ id }, method, this.#formerReason);
  }

  /**
   * A thread that follows another uses the cells that the former one has used, but for those in `kept`. `reason` is that
   * of the end of those that ended with the former thread.
   */
  recover(kept: ReadonlySet<number>, reason: ExitReason | undefined): void {
    this.#formerReason = reason;
    for (let number = this.#parts.table[TABLE_USED] - 1; number >= FIRST_CELL; number--) {
      if (!kept.has(number)) this.#free.push(number);
    }
  }

  /** Another life of a member that ended with the former thread, whose cell has stayed open. */
  inherit(type: MemberType, name: string, number: number, generation: number, args: unknown): Cell {
    const { supervisor, table } = this.#parts;
    const cell = new Cell(number, generation, name, supervisor, type, args);
    const at = number * CELL_WORDS;
    cell.history = { incarnation: table[at + CELL_INCARNATION], failures: [] };
    this.#settle(cell);
    return cell;
  }

  #unused(): number | undefined {
    const { table } = this.#parts;
    const number = Math.max(FIRST_CELL, table[TABLE_USED]);
    if (number >= table[TABLE_CELLS]) return undefined;
    Atomics.store(table, TABLE_USED, number + 1);
    return number;
  }
}
