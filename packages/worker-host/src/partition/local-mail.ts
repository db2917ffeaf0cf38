import { performance } from "node:perf_hooks";
import type { Outbox } from "../protocol/calls/outbox.js";
import type { Callee } from "../protocol/calls/pending-calls.js";
import { ActorError } from "../protocol/errors/errors.js";
import { callTimeoutOf } from "../protocol/memory/call-timeout.js";
import { blockTimeoutOf, CELL_POLICY, CELL_WORDS, cellOf, generationOf, overflowOf } from "../protocol/memory/cells.js";
import type { Connection } from "../protocol/refs/actor-ref.js";
import type { CastResult, Transferable } from "../protocol/refs/actor-types.js";
import type { RefOptions } from "../protocol/refs/ref-options.js";
import { callAborted, noproc } from "../protocol/refs/refusal.js";
import { whenAborted } from "../protocol/refs/when-aborted.js";
import { CLOSED, FULL, PUSHED } from "../protocol/ring/ring-writer.js";
import { keepPayload } from "../protocol/values/codec.js";
import { decodeForeign, encodeForeign } from "../protocol/values/encoded.js";
import { type Caller, type Cell, mailboxFull, Waiting } from "./cell.js";
import { copiedBytes, copyArgs, copyOne } from "./local-copy.js";

/** A message that waits until its member's mailbox has room. */
interface ForRoom {
  /** In `performance.now` time. */
  readonly deadline: number;
  readonly waiting: Waiting;
  readonly method: string;
  accepted(): void;
  refused(error: ActorError): void;
}

/** A reference's connection to a member of its own thread, or to one that is gone. */
export class Local implements Connection, Callee {
  readonly id: string;
  readonly uid: number;
  readonly words: Int32Array;
  calls: Callee["calls"] = undefined;
  #cell: Cell | (() => Cell | undefined) | undefined;

  constructor(id: string, cell: Cell | (() => Cell | undefined) | undefined, self: Outbox["self"]) {
    this.id = id;
    this.#cell = cell;
    this.uid = self.uid;
    this.words = self.memory.words;
  }

  get cell(): Cell | undefined {
    const cell = this.#cell;
    if (typeof cell === "function") return cell();
    if (cell?.successor === undefined) return cell;
    this.#cell = cell.latest;
    return this.#cell;
  }
}

/** The part of the partition's outbox that it works with. */
export interface LocalOutbox extends Pick<Outbox, "codec" | "pending" | "self"> {
  /** The number of a call. */
  nextNumber(): number;
}

export interface LocalMailHost {
  readonly table: Int32Array;
  readonly segment: number;
  /** The member whose code runs, if one does. */
  readonly current: Cell | undefined;
  cellOf(number: number, generation: number): Cell | undefined;
  named(id: string): Cell | undefined;
  /** Accepts a message: PUSHED, FULL or CLOSED. */
  offer(cell: Cell, waiting: Waiting): number;
  dropped(cell: Cell, method: string): void;
  /** The caller of this message no longer waits. */
  givenUp(cell: Cell, caller: Caller): void;
  /** From now on `expire` has to be called now and then, as long as something waits. */
  expires(): void;
}

/** Messages between members of one partition: copied, counted as any, and put onto the receiver's queue at once. */
export class LocalMail {
  readonly #host: LocalMailHost;
  readonly #outbox: LocalOutbox;
  /** By member. A Map, because few wait. */
  readonly #lines = new Map<Cell, ForRoom[]>();

  constructor(host: LocalMailHost, outbox: LocalOutbox) {
    this.#host = host;
    this.#outbox = outbox;
  }

  get segment(): number {
    return this.#host.segment;
  }

  get sender(): Cell | undefined {
    return this.#host.current;
  }

  get waits(): boolean {
    return this.#lines.size > 0;
  }

  connect(address: number, uid: number, id: string): Local {
    const number = cellOf(address);
    const { self } = this.#outbox;
    if (number === 0) return new Local(id, () => this.#host.named(id), self);
    return new Local(id, this.#host.cellOf(number, generationOf(uid)), self);
  }

  tryCast(to: Local, method: string, args: unknown[], { transfer }: RefOptions): CastResult {
    const copies = this.#copy(args, transfer);
    const { cell } = to;
    if (cell === undefined) return "closed";
    if (this.#isAwaited(cell)) return "full";
    const outcome = this.#host.offer(cell, new Waiting(method, copies, copiedBytes(), undefined, false));
    return outcome === PUSHED ? "ok" : outcome === CLOSED ? "closed" : "full";
  }

  cast(to: Local, method: string, args: unknown[], { transfer }: RefOptions, isSend: boolean): Promise<void> {
    const shown = isSend ? "info" : method;
    try {
      const copies = this.#copy(args, transfer);
      const { cell } = to;
      if (cell === undefined) throw noproc(to, shown);
      const waiting = new Waiting(method, copies, copiedBytes(), undefined, isSend);
      const outcome = this.#isAwaited(cell) ? FULL : this.#host.offer(cell, waiting);
      if (outcome === PUSHED) return ACCEPTED;
      if (outcome === CLOSED) throw noproc(to, shown);
      const overflow = this.#overflowOf(cell);
      if (overflow === "reject") throw mailboxFull(this.#host.table, cell, shown);
      if (overflow !== "block") {
        this.#host.dropped(cell, shown);
        return ACCEPTED;
      }
      return new Promise((accepted, refused) => this.#wait(cell, shown, waiting, Infinity, accepted, refused));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Returns the call's number, 0 when it failed at once. */
  call(
    to: Local,
    method: string,
    args: unknown[],
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): number {
    const { pending, self } = this.#outbox;
    const { signal, transfer, timeoutMs = callTimeoutOf(self.memory.words) } = options;
    const { cell } = to;
    let copies: unknown[];
    try {
      if (cell !== undefined && cell === this.#host.current) {
        const message = `id=${to.id} method=${method}: an actor that calls itself would wait for ever`;
        throw new ActorError("ERR_CALLING_SELF", message, { id: to.id, method });
      }
      if (signal?.aborted === true) throw callAborted(to.id, method, signal);
      copies = this.#copy(args, transfer);
    } catch (error) {
      fail(error);
      return 0;
    }
    if (cell === undefined) {
      fail(noproc(to, method));
      return 0;
    }
    const bytes = copiedBytes();
    const correlation = this.#outbox.nextNumber();
    const call = pending.open(correlation, to, method, timeoutMs, settle, fail);
    const caller = new LocalCaller(this.#outbox, correlation);
    const waiting = new Waiting(method, copies, bytes, caller, false);
    if (signal !== undefined) {
      call.release = whenAborted(signal, () => {
        pending.fail(correlation, callAborted(to.id, method, signal));
        this.#host.givenUp(cell, caller);
      });
    }
    const outcome = this.#isAwaited(cell) ? FULL : this.#host.offer(cell, waiting);
    if (outcome === CLOSED) pending.fail(correlation, noproc(to, method));
    if (outcome !== FULL) return correlation;
    const overflow = this.#overflowOf(cell);
    if (overflow === "block") {
      const refused = (error: unknown): void => pending.fail(correlation, error);
      this.#wait(cell, method, waiting, timeoutMs, () => {}, refused);
    } else {
      if (overflow === "drop_newest") this.#host.dropped(cell, method);
      pending.fail(correlation, mailboxFull(this.#host.table, cell, method));
    }
    return correlation;
  }

  /** A member's message was taken: those that wait for its room move up. */
  roomIn(cell: Cell): void {
    const line = this.#lines.get(cell);
    if (line === undefined) return;
    while (line.length > 0) {
      const outcome = this.#host.offer(cell, line[0].waiting);
      if (outcome === FULL) return;
      const first = line.shift() as ForRoom;
      if (outcome === PUSHED) first.accepted();
      else first.refused(noproc(cell, first.method));
    }
    this.#lines.delete(cell);
  }

  moved(cell: Cell, next: Cell): void {
    const line = this.#lines.get(cell);
    if (line === undefined) return;
    this.#lines.delete(cell);
    this.#lines.set(next, line);
  }

  /** Refuses those whose time is over. */
  expire(now: number): void {
    for (const [cell, line] of this.#lines) {
      for (let i = 0; i < line.length; ) {
        const { deadline, method, refused } = line[i];
        if (deadline > now) {
          i++;
          continue;
        }
        line.splice(i, 1);
        refused(mailboxFull(this.#host.table, cell, method));
      }
      if (line.length === 0) this.#lines.delete(cell);
    }
  }

  #wait(
    cell: Cell,
    method: string,
    waiting: Waiting,
    mostMs: number,
    accepted: () => void,
    refused: (error: unknown) => void,
  ): void {
    const sender = this.#host.current;
    if (sender !== undefined && sender.unsent >= sender.type.spec.capacity) {
      refused(mailboxFull(this.#host.table, cell, method));
      return;
    }
    if (sender !== undefined) sender.unsent++;
    const over = (): void => {
      if (sender !== undefined) sender.unsent--;
    };
    const timeoutMs = Math.min(blockTimeoutOf(this.#host.table[cell.number * CELL_WORDS + CELL_POLICY]), mostMs);
    const line = this.#lines.get(cell);
    const entry: ForRoom = {
      deadline: performance.now() + timeoutMs,
      waiting,
      method,
      accepted: () => {
        over();
        accepted();
      },
      refused: (error) => {
        over();
        refused(error);
      },
    };
    if (line === undefined) this.#lines.set(cell, [entry]);
    else line.push(entry);
    this.#host.expires();
  }

  /** Others wait for its room. */
  #isAwaited(cell: Cell): boolean {
    return this.#lines.size > 0 && this.#lines.has(cell);
  }

  #overflowOf(cell: Cell): ReturnType<typeof overflowOf> {
    return overflowOf(this.#host.table[cell.number * CELL_WORDS + CELL_POLICY]);
  }

  #copy(args: unknown[], transfer: readonly Transferable[] | undefined): unknown[] {
    if (transfer === undefined || transfer.length === 0) return copyArgs(args);
    const { codec } = this.#outbox;
    const payload = keepPayload(codec.encodeArgs(args, transfer));
    const moved = structuredClone(transfer, { transfer: [...transfer] as never }) as unknown as readonly unknown[];
    return codec.decodeArgs(payload, moved);
  }
}

const ACCEPTED: Promise<void> = Promise.resolve();

/** A member that calls another one of its thread. */
class LocalCaller implements Caller {
  readonly #outbox: LocalOutbox;
  readonly #correlation: number;

  constructor(outbox: LocalOutbox, correlation: number) {
    this.#outbox = outbox;
    this.#correlation = correlation;
  }

  succeed(value: unknown): void {
    let copied: unknown;
    try {
      copied = copyOne(value, "reply");
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#outbox.pending.take(this.#correlation)?.succeed(copied);
  }

  fail(error: unknown): void {
    const { codec, pending } = this.#outbox;
    pending.take(this.#correlation)?.fail(decodeForeign(codec, encodeForeign(codec, error)), true);
  }

  is(): boolean {
    return false;
  }
}
