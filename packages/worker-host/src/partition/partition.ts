import type { ActorContext, ActorLog, DeferredReply } from "../actor/context.js";
import { isIgnore } from "../actor/define-actor.js";
import type { SpawnSpec } from "../actor/light-context.js";
import type { Members } from "../loop/members.js";
import { THREW } from "../loop/message-handler.js";
import type { Microtasks } from "../loop/microtasks.js";
import { type Timer, Timers } from "../loop/timers.js";
import { cellOfTarget, generationOfTarget, takeRoom } from "../protocol/calls/member-peer.js";
import type { OneWayOutbox } from "../protocol/calls/one-way-outbox.js";
import { describe } from "../protocol/errors/describe.js";
import { ActorError, isReplyError } from "../protocol/errors/errors.js";
import { describeExit, type ExitReason, KILLED, NOPROC, NORMAL } from "../protocol/errors/exit-reason.js";
import {
  CELL_ACCEPTED,
  CELL_BYTES,
  CELL_CAPACITY,
  CELL_CAPACITY_BYTES,
  CELL_IDENTITY,
  CELL_POLICY,
  CELL_SPACE,
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
  TABLE_CURRENT,
  TABLE_MEMBERS,
  TABLE_QUEUED,
  TABLE_QUEUED_BYTES,
  TABLE_USED,
  uidOfGeneration,
} from "../protocol/memory/cells.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import { ring } from "../protocol/memory/doorbell.js";
import { METHOD_INFO, METHOD_INIT, METHOD_TERMINATE } from "../protocol/memory/name-table.js";
import {
  KIND_CALL,
  KIND_SEND,
  kindOf,
  R_CORRELATION,
  R_METHOD,
  R_SENDER_ADDRESS,
  R_SENDER_UID,
  R_TYPE,
} from "../protocol/memory/record-descriptor.js";
import { STATE_CLOSED, STATE_DRAINING, STATE_OPEN } from "../protocol/memory/slot-descriptor.js";
import { ActorRef } from "../protocol/refs/actor-ref.js";
import { checkedReference } from "../protocol/refs/checked-reference.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";
import { noproc } from "../protocol/refs/refusal.js";
import { FORMAT_MEMBER, FORMAT_TRACED, type Payload } from "../protocol/ring/payload.js";
import { PUSHED } from "../protocol/ring/ring-writer.js";
import type { Attribution } from "./attribution.js";
import {
  type Caller,
  Cell,
  ENDED,
  ENDING,
  mailboxFull,
  type OwnWaiting,
  STARTING,
  type StartedMember,
  UP,
  Waiting,
} from "./cell.js";
import { copyOne } from "./local-copy.js";
import { LocalMail, type LocalMailHost } from "./local-mail.js";
import { type ContextHost, MemberContext } from "./member-context.js";
import type { MemberType } from "./member-type.js";
import type { News } from "./news.js";
import type { PartitionOutbox } from "./partition-outbox.js";
import { RingReplies } from "./ring-caller.js";

/** A turn handles at most this many messages of one member, then it is the next one's. */
const MESSAGES_A_TURN = 16;
/** Messages of all members between two looks at the partition's ring. */
const MESSAGES_A_ROUND = 64;
/** How often members whose handlers await are looked at. */
const SWEEP_MS = 50;

/** What a partition works with. */
export interface PartitionParts {
  readonly supervisor: string;
  readonly segment: number;
  readonly table: Int32Array;
  readonly outbox: PartitionOutbox;
  readonly context: ActorContext<any>;
  readonly microtasks: Microtasks;
  readonly log: ActorLog;
  readonly news: News;
  readonly attribution: Attribution<Cell>;
  unhandled(method: string, detail: string): void;
}

/** The light actors of one thread: their lives, their turns and their mail. */
export class Partition implements Members, LocalMailHost, ContextHost {
  readonly table: Int32Array;
  readonly segment: number;
  readonly local: LocalMail;
  /** What `ctx.spawn` starts. */
  template: MemberType | undefined;
  /** A member has ended, with the partition still alive. */
  onEnd: (cell: Cell, reason: ExitReason) => void = () => {};
  readonly #parts: PartitionParts;
  readonly #state: ConsumerState;
  readonly #replies: RingReplies;
  readonly #attribution: Attribution<Cell>;
  readonly #cells: (Cell | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #names = new Map<string, Cell>();
  readonly #timers = new Timers();
  readonly #targets = new Map<number, Timed>();
  /** The latest ends, by cell. */
  readonly #ended = new Map<
    number,
    { readonly generation: number; readonly id: string; readonly reason: ExitReason }
  >();
  /** Members whose handler, `init` or `terminate` awaits something. */
  readonly #awaiting = new Set<Cell>();
  /** Calls that their callers gave up before their turn came. */
  readonly #cancelled = new Set<string>();
  /** Monitors of members in other threads, by the partition's own number. */
  readonly #remoteMonitors = new Map<number, { readonly cell: Cell; readonly monitor: number }>();
  #lastMonitor = 0;
  #lastName = 0;
  #head: Cell | undefined;
  #tail: Cell | undefined;
  #schedule: () => void = () => {};
  #sweep: NodeJS.Timeout | undefined;

  constructor(parts: PartitionParts) {
    this.#parts = parts;
    this.table = parts.table;
    this.segment = parts.segment;
    this.#attribution = parts.attribution;
    this.#state = new ConsumerState(parts.outbox.self.memory.words);
    this.#replies = new RingReplies(parts.supervisor, parts.outbox as OneWayOutbox);
    this.local = new LocalMail(this, parts.outbox);
    parts.outbox.local = this.local;
  }

  get current(): Cell | undefined {
    return this.#attribution.current;
  }

  get size(): number {
    return this.#names.size;
  }

  get cells(): IterableIterator<Cell> {
    return this.#names.values();
  }

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

  /** The live member that a reference means; undefined also for one of another partition. */
  meantBy(ref: ActorRef | PoolRef): Cell | undefined {
    if (!(ref instanceof ActorRef) || !isCellAddress(ref.address)) return undefined;
    if (segmentOfCell(ref.address) !== this.segment) return undefined;
    const number = cellOf(ref.address);
    return number === 0 ? this.named(ref.id) : this.cellOf(number, generationOf(ref.uid));
  }

  addressOf(cell: Cell): number {
    return cellAddress(this.segment, cell.number);
  }

  uidOf(cell: Cell): number {
    return uidOfGeneration(cell.generation);
  }

  // --- lives ---

  /**
   * Begins a life; `init` runs at its first turn, or by `begin`. Throws ERR_ALREADY_STARTED, ERR_MAX_CHILDREN. Tells
   * `started` how the start ended.
   */
  create(
    type: MemberType,
    name: string,
    args: unknown,
    handed?: unknown,
    started?: (outcome: StartedMember) => void,
  ): Cell {
    const { supervisor } = this.#parts;
    const present = this.#names.get(name);
    if (present !== undefined) {
      const facts = { id: present.id, ref: this.refTo(present) };
      throw new ActorError("ERR_ALREADY_STARTED", `${present.id} is running already`, facts);
    }
    const table = this.table;
    const number = this.#free.pop() ?? this.#unused();
    if (number === undefined) {
      const id = `${supervisor}/${name}`;
      throw new ActorError("ERR_MAX_CHILDREN", `${id} would be one child more than this partition has room for`, {
        id,
      });
    }
    const at = number * CELL_WORDS;
    const generation = nextGeneration(table[at + CELL_IDENTITY]);
    table[at + CELL_ACCEPTED] = table[at + CELL_TAKEN] = table[at + CELL_BYTES] = table[at + CELL_WATCHED] = 0;
    table[at + CELL_CAPACITY] = type.spec.capacity;
    table[at + CELL_CAPACITY_BYTES] = type.spec.capacityBytes;
    table[at + CELL_POLICY] = type.spec.policy;
    Atomics.store(table, at + CELL_IDENTITY, (generation << 2) | STATE_OPEN);
    const cell = new Cell(number, generation, name, supervisor, type, args);
    cell.context = new MemberContext(this, cell);
    cell.started = started;
    if (handed !== undefined) cell.more.handed = handed;
    this.#cells[number] = cell;
    this.#names.set(name, cell);
    Atomics.store(table, TABLE_MEMBERS, this.#names.size);
    return cell;
  }

  /** Runs its `init` now. */
  begin(cell: Cell): void {
    const { definition, spec } = cell.type;
    const failed = (error: unknown): void => this.end(cell, { kind: "init_failed", error });
    if (definition.init === undefined) {
      this.#initialised(cell, undefined);
      return;
    }
    this.#run(
      cell,
      METHOD_INIT,
      spec.startTimeoutMs,
      () => definition.init?.(cell.args as never, cell.context as never),
      (state) => this.#initialised(cell, state),
      failed,
    );
  }

  #initialised(cell: Cell, state: unknown): void {
    if (isIgnore(state)) {
      const { started } = cell;
      cell.started = undefined;
      started?.({ kind: "ignored" });
      this.end(cell, NORMAL);
      return;
    }
    if (cell.context !== undefined) cell.context.state = state;
    cell.phase = UP;
    const { started } = cell;
    cell.started = undefined;
    started?.({ kind: "started" });
    this.#wake(cell);
  }

  /** The partition's own `terminate` waits for its members: no handler runs in its name. */
  draining(): void {
    this.#state.endHandling();
  }

  /** Ends it once it has handled what it has accepted, with `terminate`. */
  drain(cell: Cell, reason: ExitReason): void {
    const identity = cell.number * CELL_WORDS + CELL_IDENTITY;
    Atomics.store(this.table, identity, (cell.generation << 2) | STATE_DRAINING);
    cell.draining ??= reason;
    this.#abort(cell);
    if (cell.phase === STARTING && !cell.busy) this.end(cell, reason);
    else this.#wake(cell);
  }

  /** Ends it between two messages, with `terminate`. */
  stop(cell: Cell, reason: ExitReason): void {
    cell.stopping ??= reason;
    this.#abort(cell);
    this.#wake(cell);
  }

  /** Ends this life at once. Whoever waits for it learns why; what it has goes. */
  end(cell: Cell, reason: ExitReason): void {
    if (cell.phase === ENDED) return;
    const table = this.table;
    const at = cell.number * CELL_WORDS;
    cell.phase = ENDED;
    cell.busy = false;
    Atomics.store(table, at + CELL_IDENTITY, (cell.generation << 2) | STATE_CLOSED);
    if (this.#names.get(cell.name) === cell) this.#names.delete(cell.name);
    this.#cells[cell.number] = undefined;
    Atomics.store(table, TABLE_MEMBERS, this.#names.size);
    this.#awaiting.delete(cell);
    this.#fail(cell, reason);
    const lost = this.#discard(cell, reason);
    this.#release(cell);
    ring(table, at + CELL_SPACE);
    this.local.roomIn(cell);
    const { started } = cell;
    cell.started = undefined;
    started?.({ kind: "failed", reason });
    const isWatched = Atomics.load(table, at + CELL_WATCHED) !== 0;
    this.#parts.news.ended(cell, reason, lost, isWatched ? this.refTo(cell) : undefined);
    this.#remember(cell, reason);
    for (const told of cell.extras?.watchers ?? []) told(reason);
    // Last: from now on another life may have this cell.
    this.#free.push(cell.number);
    this.onEnd(cell, reason);
    this.#schedule();
  }

  /** For messages that are on their way: they were accepted while it lived. */
  #remember({ number, generation, id }: Cell, reason: ExitReason): void {
    const ended = this.#ended;
    ended.delete(number);
    const [oldest] = ended.keys();
    if (ended.size >= MAX_REMEMBERED) ended.delete(oldest);
    ended.set(number, { generation, id, reason });
  }

  /** Fails the calls that it has taken and not answered. */
  #fail(cell: Cell, reason: ExitReason): void {
    const { caller, isDeferred, extras } = cell;
    cell.caller = undefined;
    if (caller !== undefined && !isDeferred) caller.fail(exited(cell, this.#nameOf(cell.method), reason));
    for (const deferred of extras?.deferred ?? []) deferred.fail(exited(cell, "", reason));
    extras?.deferred.clear();
  }

  /** Takes out what waits in it. Returns how many messages that were. */
  #discard(cell: Cell, reason: ExitReason): number {
    let lost = 0;
    for (let waiting = cell.first; waiting !== undefined; waiting = waiting.next) {
      lost++;
      this.#uncount(waiting.bytes);
      if (waiting.caller !== undefined) waiting.caller.fail(exited(cell, this.#nameOf(waiting.method), reason));
    }
    cell.first = cell.last = undefined;
    return lost;
  }

  #release(cell: Cell): void {
    const { extras } = cell;
    if (extras === undefined) return;
    for (const release of [...extras.releases]) this.#safely(cell, release);
    for (const cancel of extras.timers.values()) cancel();
    extras.timers.clear();
    for (const takeOff of extras.monitors.values()) takeOff();
    extras.signal?.abort();
    for (const { thing, dispose } of extras.owned.reverse()) this.#safely(cell, () => dispose(thing));
    extras.owned.length = 0;
  }

  #safely(cell: Cell, task: () => unknown): void {
    try {
      task();
    } catch (error) {
      this.logOf(cell).error(error as Error, "what the actor owned could not be let go");
    }
  }

  #unused(): number | undefined {
    const number = Math.max(FIRST_CELL, this.table[TABLE_USED]);
    if (number >= this.table[TABLE_CELLS]) return this.#recovered.pop();
    Atomics.store(this.table, TABLE_USED, number + 1);
    return number;
  }

  /** A thread that follows another uses the cells that the former one has used. */
  readonly #recovered: number[] = [];

  recover(): void {
    for (let number = this.table[TABLE_USED] - 1; number >= FIRST_CELL; number--) this.#free.push(number);
  }

  // --- turns ---

  wakeBy(schedule: () => void): void {
    this.#schedule = schedule;
  }

  get nextDue(): number {
    return this.#timers.nextDue;
  }

  work(): number {
    this.#takeDue();
    let handled = 0;
    for (let cell = this.#head; cell !== undefined && handled < MESSAGES_A_ROUND; cell = this.#head) {
      this.#head = cell.nextInLine;
      if (this.#head === undefined) this.#tail = undefined;
      cell.nextInLine = undefined;
      cell.inLine = false;
      handled += this.#turn(cell);
      // What a handler has left to run comes before the next message.
      if (this.#parts.microtasks.due) break;
    }
    this.#parts.news.flush();
    // Ends without a handler are progress too.
    if (handled > 0) this.#state.turn();
    return handled;
  }

  #turn(cell: Cell): number {
    if (cell.phase === STARTING && !cell.busy) {
      this.begin(cell);
      return 1;
    }
    let handled = 0;
    while (handled < MESSAGES_A_TURN && !cell.busy && cell.phase === UP) {
      if (!this.#one(cell)) return handled;
      handled++;
      if (this.#parts.microtasks.due) break;
    }
    this.#wake(cell);
    return Math.max(1, handled);
  }

  /** Does one thing. False when it has nothing to do. */
  #one(cell: Cell): boolean {
    if (cell.stopping !== undefined) {
      this.#terminate(cell, cell.stopping);
      return true;
    }
    const own = cell.extras === undefined ? undefined : nextOwn(cell.extras);
    if (own !== undefined) {
      this.#handleOwn(cell, own);
      return true;
    }
    const waiting = cell.first;
    if (waiting !== undefined) {
      cell.first = waiting.next;
      if (waiting.next === undefined) cell.last = undefined;
      this.#taken(cell, waiting);
      this.#handle(cell, waiting);
      return true;
    }
    if (cell.draining === undefined) return false;
    this.#terminate(cell, cell.draining);
    return true;
  }

  /** It may have something to do. */
  #wake(cell: Cell): void {
    if (cell.inLine || cell.busy || cell.phase === ENDED || cell.phase === ENDING) return;
    const { extras } = cell;
    const hasOwn = extras !== undefined && (extras.own.length > 0 || extras.continuations.length > 0);
    const ends = cell.stopping !== undefined || cell.draining !== undefined;
    if (cell.first === undefined && !hasOwn && !ends && cell.phase === UP) return;
    cell.inLine = true;
    if (this.#tail === undefined) this.#head = cell;
    else this.#tail.nextInLine = cell;
    this.#tail = cell;
    this.#schedule();
  }

  #handle(cell: Cell, { method, args, caller, isSend }: Waiting): void {
    cell.caller = caller;
    cell.isDeferred = false;
    if (cell.extras?.signal !== undefined) this.#renewSignal(cell);
    if (caller !== undefined && this.#cancelled.size > 0 && this.#wasCancelled(caller)) {
      cell.caller = undefined;
      return;
    }
    const { definition, handlers } = cell.type;
    const numbered = typeof method === "number";
    const handler = isSend
      ? definition.info
      : numbered
        ? (handlers.numbered(method) ?? handlers.find(method, this.#nameOf(method)))
        : (handlers.named(method) ?? handlers.find(0, method));
    if (handler === undefined) {
      cell.caller = undefined;
      if (isSend) this.#parts.unhandled("info", "the actor has no info handler");
      else if (caller !== undefined) caller.fail(handlers.unknownMethod(cell.id, this.#nameOf(method), args));
      else this.#parts.unhandled(this.#nameOf(method), "unknown method");
      return;
    }
    const number = isSend ? METHOD_INFO : numbered ? method : this.#parts.outbox.names.find(method);
    this.#apply(cell, number, method, isSend ? definition : definition.handlers, handler as Handler, args);
  }

  #handleOwn(cell: Cell, { method, args }: OwnWaiting): void {
    const { definition, handlers } = cell.type;
    cell.caller = undefined;
    cell.isDeferred = false;
    if (method === "") {
      if (definition.info === undefined) this.#parts.unhandled("info", "the actor has no info handler");
      else this.#apply(cell, METHOD_INFO, "info", definition, definition.info as Handler, args);
      return;
    }
    const handler = handlers.named(method);
    if (handler === undefined) return;
    const number = this.#parts.outbox.names.find(method);
    this.#apply(cell, number, method, definition.handlers, handler, args);
  }

  #apply(
    cell: Cell,
    number: number,
    method: number | string,
    target: unknown,
    handler: Handler,
    args: unknown[],
  ): void {
    const { table } = this;
    const attribution = this.#attribution;
    cell.method = method;
    this.#state.limitHandling(cell.type.spec.handlerTimeoutMs);
    if (number > 0) this.#state.beginHandling(number);
    else this.#state.beginHandlingNamed(String(method));
    table[TABLE_CURRENT] = cell.number;
    attribution.current = cell;
    let result: unknown;
    try {
      result =
        args.length === 1 ? handler.call(target, cell.context, args[0]) : handler.call(target, cell.context, ...args);
    } catch (error) {
      this.#left();
      this.#failed(cell, error);
      return;
    }
    this.#left();
    if (isThenable(result)) {
      this.#await(cell, cell.type.spec.handlerTimeoutMs, result, this.#succeeded, this.#failed);
    } else {
      this.#succeeded(cell, result);
    }
  }

  /** The member's code has returned. */
  #left(): void {
    this.#attribution.current = undefined;
    this.table[TABLE_CURRENT] = 0;
    this.#state.endHandling();
    this.#state.limitHandling(0);
  }

  /** Runs `init` or `terminate`. */
  #run(
    cell: Cell,
    method: number,
    timeoutMs: number,
    task: () => unknown,
    done: (value: unknown) => void,
    failed: (error: unknown) => void,
  ): void {
    cell.method = method;
    this.#state.limitHandling(timeoutMs);
    this.#state.beginHandling(method);
    this.table[TABLE_CURRENT] = cell.number;
    this.#attribution.current = cell;
    let result: unknown;
    try {
      result = task();
    } catch (error) {
      this.#left();
      failed(error);
      return;
    }
    this.#left();
    if (isThenable(result))
      this.#await(
        cell,
        timeoutMs,
        result,
        (_cell, value) => done(value),
        (_cell, error) => failed(error),
      );
    else done(result);
  }

  #await(
    cell: Cell,
    timeoutMs: number,
    result: PromiseLike<unknown>,
    done: (cell: Cell, value: unknown) => void,
    failed: (cell: Cell, error: unknown) => void,
  ): void {
    cell.busy = true;
    cell.since = performance.now();
    if (timeoutMs !== Infinity) {
      this.#awaiting.add(cell);
      this.#look();
    }
    const settled = (then: (cell: Cell, value: unknown) => void, value: unknown): void => {
      // Its late result is nobody's.
      if (cell.phase === ENDED) return;
      cell.busy = false;
      this.#awaiting.delete(cell);
      then(cell, value);
      this.#wake(cell);
    };
    result.then(
      (value) => settled(done, value),
      (error: unknown) => settled(failed, error),
    );
  }

  readonly #succeeded = (cell: Cell, value: unknown): void => {
    const { caller } = cell;
    if (caller === undefined) return;
    cell.caller = undefined;
    if (!cell.isDeferred) caller.succeed(value);
  };

  readonly #failed = (cell: Cell, error: unknown): void => {
    const isOurs = isReplyError(error);
    if (!isOurs && !cell.type.survivesThrows) {
      this.end(cell, { kind: "error", error });
      return;
    }
    const { caller } = cell;
    cell.caller = undefined;
    if (caller !== undefined && (!cell.isDeferred || cell.extras?.deferred.delete(caller) === true)) {
      caller.fail(error);
      return;
    }
    const log = this.logOf(cell);
    if (isOurs) log.warn(error, "a ReplyError was thrown where no call waits for it");
    else log.error({ err: error, method: this.#nameOf(cell.method) }, THREW);
  };

  #terminate(cell: Cell, reason: ExitReason): void {
    const { terminate } = cell.type.definition;
    if (terminate === undefined) {
      this.end(cell, reason);
      return;
    }
    cell.phase = ENDING;
    this.#run(
      cell,
      METHOD_TERMINATE,
      cell.type.spec.handlerTimeoutMs,
      () => terminate.call(cell.type.definition, cell.context as never, reason),
      () => this.end(cell, reason),
      (error) => this.end(cell, { kind: "error", error }),
    );
  }

  // --- mail ---

  receive(
    header: Int32Array,
    methodText: string,
    payload: Payload,
    countedBytes: number,
    transferred?: readonly unknown[],
  ): void {
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
    const cell = byName ? this.named(target) : this.cellOf(cellOfTarget(target), generationOfTarget(target));
    if (cell === undefined) {
      this.#refuse(caller, this.#nameOf(method), this.#gone(target, this.#nameOf(method)));
      return;
    }
    const waiting = new Waiting(method, args, countedBytes, caller, kind === KIND_SEND);
    if (byName) {
      const at = cell.number * CELL_WORDS;
      if (takeRoom(this.table, at, (cell.generation << 2) | STATE_OPEN, countedBytes) !== PUSHED) {
        this.#refuse(caller, this.#nameOf(method), mailboxFull(this.table, cell, this.#nameOf(method)));
        return;
      }
    }
    this.enqueue(cell, waiting);
  }

  /** Why a message that was accepted finds no member. */
  #gone(target: number | string, method: string): ActorError {
    if (typeof target === "string") return noproc({ id: target }, method);
    const ended = this.#ended.get(cellOfTarget(target));
    if (ended?.generation === generationOfTarget(target)) return exited(ended, method, ended.reason);
    return noproc({ id: `${this.#parts.supervisor}/?` }, method);
  }

  #refuse(caller: Caller | undefined, method: string, error: ActorError): void {
    if (caller !== undefined) caller.fail(error);
    else this.#parts.news.lost(method);
  }

  /** The message has been accepted and counted. */
  enqueue(cell: Cell, waiting: Waiting): void {
    const table = this.table;
    if (cell.last === undefined) cell.first = waiting;
    else cell.last.next = waiting;
    cell.last = waiting;
    table[TABLE_QUEUED]++;
    table[TABLE_QUEUED_BYTES] += waiting.bytes;
    const at = cell.number * CELL_WORDS;
    if ((table[at + CELL_POLICY] & 3) === 3) this.#dropOldest(cell, at);
    this.#wake(cell);
  }

  #dropOldest(cell: Cell, at: number): void {
    const table = this.table;
    for (;;) {
      const oldest = cell.first;
      if (oldest === undefined || oldest.next === undefined) return;
      const length = (Atomics.load(table, at + CELL_ACCEPTED) - table[at + CELL_TAKEN]) | 0;
      if (length <= table[at + CELL_CAPACITY] && table[at + CELL_BYTES] <= table[at + CELL_CAPACITY_BYTES]) return;
      cell.first = oldest.next;
      this.#taken(cell, oldest);
      this.dropped(cell, this.#nameOf(oldest.method));
      oldest.caller?.fail(mailboxFull(this.table, cell, this.#nameOf(oldest.method)));
    }
  }

  dropped(_cell: Cell, method: string): void {
    this.#parts.news.lost(method, "dropped");
  }

  #taken(cell: Cell, { bytes }: Waiting): void {
    const table = this.table;
    const at = cell.number * CELL_WORDS;
    Atomics.add(table, at + CELL_TAKEN, 1);
    Atomics.sub(table, at + CELL_BYTES, bytes);
    this.#uncount(bytes);
    ring(table, at + CELL_SPACE);
    if (this.local.waits) this.local.roomIn(cell);
  }

  #uncount(bytes: number): void {
    this.table[TABLE_QUEUED]--;
    this.table[TABLE_QUEUED_BYTES] -= bytes;
  }

  cancelled(callerUid: number, correlation: number): boolean {
    for (const cell of this.#awaiting) {
      if (cell.caller?.is(callerUid, correlation) !== true) continue;
      cell.extras?.signal?.abort();
      return true;
    }
    if (this.#cancelled.size >= MAX_CANCELLED) this.#cancelled.clear();
    this.#cancelled.add(`${callerUid}:${correlation}`);
    return true;
  }

  givenUp(cell: Cell, caller: Caller): void {
    if (cell.caller === caller) cell.extras?.signal?.abort();
    else removeWaiting(this, cell, caller, (waiting) => this.#taken(cell, waiting));
  }

  #wasCancelled(caller: Caller): boolean {
    const { uid, correlation } = caller as Caller & { uid?: number; correlation?: number };
    return uid !== undefined && this.#cancelled.delete(`${uid}:${correlation}`);
  }

  #nameOf(method: number | string): string {
    return typeof method === "string" ? method : this.#parts.outbox.names.name(method);
  }

  // --- time ---

  #takeDue(): void {
    if (this.#timers.nextDue === Infinity) return;
    const now = performance.now();
    for (let timer = this.#timers.takeDue(now); timer !== undefined; timer = this.#timers.takeDue(now)) {
      this.#due(timer);
    }
  }

  #due(timer: Timer): void {
    const timed = this.#targets.get(timer.id);
    if (timed === undefined) return;
    const { cell } = timed;
    if (timer.everyMs === 0) {
      this.#targets.delete(timer.id);
      cell.extras?.timers.delete(timer.id);
    }
    // A period that its actor has not come to is skipped.
    if (timed.waits) return;
    timed.waits = true;
    cell.more.own.push({
      method: timer.method,
      args: timer.args,
      taken: () => {
        timed.waits = false;
        return !timed.isCancelled;
      },
    });
    this.#wake(cell);
  }

  /** Looks at what may take too long, as long as there is something. */
  #look(): void {
    if (this.#sweep !== undefined) return;
    this.#sweep = setTimeout(this.#looking, SWEEP_MS).unref();
  }

  readonly #looking = (): void => {
    this.#sweep = undefined;
    const now = performance.now();
    for (const cell of this.#awaiting) {
      const { spec } = cell.type;
      const limit = cell.phase === STARTING ? spec.startTimeoutMs : spec.handlerTimeoutMs;
      const afterMs = now - cell.since;
      if (afterMs < limit) continue;
      const method = this.#nameOf(cell.method);
      this.end(
        cell,
        cell.phase === STARTING ? { kind: "init_timeout", afterMs: limit } : { kind: "unresponsive", method, afterMs },
      );
    }
    this.local.expire(now);
    this.#parts.news.flush();
    if (this.#awaiting.size > 0 || this.local.waits) this.#look();
  };

  // --- what contexts ask ---

  refTo(cell: Cell): ActorRef {
    return new ActorRef(this.#parts.outbox, this.addressOf(cell), this.uidOf(cell), cell.id);
  }

  logOf(cell: Cell): ActorLog {
    return this.#parts.log.child({ member: cell.name });
  }

  /** Each call has a signal of its own. */
  #renewSignal(cell: Cell): void {
    if (cell.extras !== undefined && cell.stopping === undefined && cell.draining === undefined) {
      cell.extras.signal = undefined;
    }
  }

  signalOf(cell: Cell): AbortSignal {
    const { more } = cell;
    if (more.signal === undefined) {
      more.signal = new AbortController();
      if (cell.phase === ENDED || cell.stopping !== undefined || cell.draining !== undefined) more.signal.abort();
    }
    return more.signal.signal;
  }

  lookup(name: string): Promise<ActorRef | undefined> {
    return this.#parts.outbox.lookup(name);
  }

  monitor(cell: Cell, ref: ActorRef | PoolRef): number {
    const target = checkedReference(ref, "ctx.monitor");
    const monitor = ++this.#lastMonitor;
    const down = (reason: ExitReason): void => {
      if (!cell.more.monitors.delete(monitor)) return;
      this.#own(cell, { method: "", args: [{ type: "DOWN", monitor, id: target.id, ref: target, reason }] });
    };
    const address = target instanceof ActorRef ? target.address : 0;
    if (isCellAddress(address) && segmentOfCell(address) === this.segment) {
      const watched = this.meantBy(target);
      cell.more.monitors.set(monitor, () => watched?.extras?.watchers.delete(down));
      if (watched === undefined) down(NOPROC);
      else watched.more.watchers.add(down);
      return monitor;
    }
    const number = this.#parts.context.monitor(target);
    this.#remoteMonitors.set(number, { cell, monitor });
    cell.more.monitors.set(monitor, () => {
      this.#remoteMonitors.delete(number);
      this.#parts.context.demonitor(number);
    });
    return monitor;
  }

  demonitor(cell: Cell, monitor: number): void {
    const takeOff = cell.extras?.monitors.get(monitor);
    cell.extras?.monitors.delete(monitor);
    takeOff?.();
    const own = cell.extras?.own;
    const at = own?.findIndex(({ args }) => (args[0] as { monitor?: unknown } | undefined)?.monitor === monitor) ?? -1;
    if (at >= 0 && own?.[at].method === "") own.splice(at, 1);
  }

  /** Main's DOWN to the partition is for the member that has asked. */
  down(message: { readonly monitor: number }): void {
    const remote = this.#remoteMonitors.get(message.monitor);
    this.#remoteMonitors.delete(message.monitor);
    if (remote === undefined || !remote.cell.more.monitors.delete(remote.monitor)) return;
    this.#own(remote.cell, { method: "", args: [{ ...message, monitor: remote.monitor }] });
  }

  exit(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): void {
    const target = checkedReference(ref, "ctx.exit");
    const cell = this.meantBy(target);
    if (cell !== undefined) this.exitSignal(cell, reason);
    else this.#parts.context.exit(target, reason);
  }

  exitSignal(cell: Cell, reason: ExitReason | "kill"): void {
    if (reason === "kill") this.end(cell, KILLED);
    else if (reason.kind !== "normal") this.end(cell, reason);
  }

  addTimer(cell: Cell, delayMs: number, everyMs: number, method: string, args: unknown[]): number {
    const id = this.#timers.add(performance.now(), delayMs, everyMs, method, args);
    const timed: Timed = { cell, waits: false, isCancelled: false };
    this.#targets.set(id, timed);
    cell.more.timers.set(id, () => {
      timed.isCancelled = true;
      this.#targets.delete(id);
      this.#timers.cancel(id);
    });
    this.#schedule();
    return id;
  }

  defer(cell: Cell): DeferredReply {
    const { caller } = cell;
    if (caller === undefined) throw new TypeError("deferReply: the message being handled is not a call");
    cell.isDeferred = true;
    const { deferred } = cell.more;
    deferred.add(caller);
    return {
      reply: (value) => {
        if (deferred.delete(caller)) caller.succeed(value);
      },
      fail: (error) => {
        if (deferred.delete(caller)) caller.fail(error);
      },
    };
  }

  continueWith(cell: Cell, method: string, args: unknown[]): void {
    cell.more.continuations.push({ method, args });
    this.#wake(cell);
  }

  spawn({ id, args }: SpawnSpec, hand: unknown): ActorRef {
    const { template } = this;
    if (template === undefined) throw new TypeError("ctx.spawn: the supervisor's template names no actor");
    const given = args === undefined ? undefined : copyOne(args, "args");
    const cell = this.create(template, id ?? this.#freeName(), given, hand);
    this.#parts.news.spawned(cell, this.addressOf(cell), this.uidOf(cell));
    this.#wake(cell);
    return this.refTo(cell);
  }

  /** An emitter's event: counted as a message, its arguments as they are. */
  event(cell: Cell, method: string, args: unknown[]): void {
    const bytes = args.reduce<number>((sum, arg) => sum + (ArrayBuffer.isView(arg) ? arg.byteLength : 8), 0);
    const at = cell.number * CELL_WORDS;
    if (takeRoom(this.table, at, (cell.generation << 2) | STATE_OPEN, bytes) === PUSHED) {
      this.enqueue(cell, new Waiting(method, args, bytes, undefined, false));
    } else if (cell.phase !== ENDED) {
      this.dropped(cell, method);
    }
  }

  #own(cell: Cell, message: OwnWaiting): void {
    if (cell.phase === ENDED) return;
    cell.more.own.push(message);
    this.#wake(cell);
  }

  #abort(cell: Cell): void {
    cell.extras?.signal?.abort();
  }

  #freeName(): string {
    let name: string;
    do name = `child-${this.#parts.context.id.split("/").at(-1)}-${++this.#lastName}`;
    while (this.#names.has(name));
    return name;
  }
}

type Handler = (...args: any[]) => unknown;

interface Timed {
  readonly cell: Cell;
  /** Its message is on its way. */
  waits: boolean;
  isCancelled: boolean;
}

const MAX_CANCELLED = 1024;
const MAX_REMEMBERED = 1024;

function nextOwn(extras: NonNullable<Cell["extras"]>): OwnWaiting | undefined {
  const continuation = extras.continuations.shift();
  if (continuation !== undefined) return continuation;
  for (let own = extras.own.shift(); own !== undefined; own = extras.own.shift()) {
    if (own.taken === undefined || own.taken()) return own;
  }
  return undefined;
}

/** Takes the message of a call that was given up out of the line. */
function removeWaiting(_partition: Partition, cell: Cell, caller: Caller, removed: (waiting: Waiting) => void): void {
  let before: Waiting | undefined;
  for (let waiting = cell.first; waiting !== undefined; waiting = waiting.next) {
    if (waiting.caller !== caller) {
      before = waiting;
      continue;
    }
    if (before === undefined) cell.first = waiting.next;
    else before.next = waiting.next;
    if (cell.last === waiting) cell.last = before;
    removed(waiting);
    return;
  }
}

function exited({ id }: { readonly id: string }, method: string, reason: ExitReason): ActorError {
  const message = `id=${id} method=${method}: the actor exited before it replied: ${describeExit(reason)}`;
  return new ActorError("ERR_CALL_EXIT", message, { id, method, reason });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
