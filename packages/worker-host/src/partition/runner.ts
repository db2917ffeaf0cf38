import { performance } from "node:perf_hooks";
import { isThenable } from "../loop/thenable.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { TABLE_CURRENT } from "../protocol/memory/cells.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import { type Cell, ENDED, STARTING } from "./cell.js";
import type { Line } from "./line.js";
import { nameOf, type PartitionParts } from "./parts.js";

const NOTHING: readonly never[] = [];

export type Code = (...args: any[]) => unknown;

/** What follows when a member's code has returned, or its promise has settled. */
export interface Outcome {
  succeeded(cell: Cell, value: unknown): void;
  failed(cell: Cell, error: unknown): void;
}

/**
 * Runs the code of members: says in shared memory which member's runs and how long it may, so that main's watchdog finds
 * the culprit, and keeps those whose promises have not settled.
 */
export class Runner {
  readonly #parts: PartitionParts;
  readonly #state: ConsumerState;
  readonly #line: Line;
  readonly #look: () => void;
  /** Members whose handler, `init` or `terminate` awaits something. */
  readonly #awaiting = new Set<Cell>();
  /** A member awaits nothing any more. Returns true when it has begun something else. */
  afterwards: (cell: Cell) => boolean = () => false;
  /** Some of them have to be done within a limit, as far as is known. */
  #expires = false;

  /** `look` is called when a member begins to await something in limited time: then `overdue` has to be asked. */
  constructor(parts: PartitionParts, line: Line, look: () => void) {
    this.#parts = parts;
    this.#state = new ConsumerState(parts.outbox.self.memory.words);
    this.#line = line;
    this.#look = look;
    parts.attribution.enters = (cell) => this.#limit(cell.type.spec.handlerTimeoutMs);
  }

  /** Calls a handler. `number` is its name's, 0 when it has none. */
  handle(
    cell: Cell,
    number: number,
    method: number | string,
    target: unknown,
    handler: Code,
    args: unknown[],
    outcome: Outcome,
  ): void {
    this.#call(cell, number, method, cell.type.spec.handlerTimeoutMs, target, handler, args, outcome);
  }

  /** Runs `init` or `terminate`. */
  run(cell: Cell, method: number, limitMs: number, code: () => unknown, outcome: Outcome): void {
    this.#call(cell, method, method, limitMs, undefined, code, NOTHING, outcome);
  }

  /** A round of turns begins: what the last handler has left to run has run. */
  begins(): void {
    this.#state.limitHandling(0);
  }

  /** Ends without a handler are progress too. */
  progressed(): void {
    this.#state.turn();
  }

  /** The partition's own `terminate` waits for its members: no handler runs in its name. */
  draining(): void {
    this.#state.endHandling();
  }

  /** It has ended: what it awaits is not awaited any more. */
  forget(cell: Cell): void {
    this.#awaiting.delete(cell);
  }

  get awaiting(): ReadonlySet<Cell> {
    return this.#awaiting;
  }

  /** `overdue` has to be asked again. */
  get expires(): boolean {
    return this.#expires;
  }

  /** Tells `end` of those that have awaited longer than they may. */
  overdue(now: number, end: (cell: Cell, reason: ExitReason) => void): void {
    this.#expires = false;
    for (const cell of this.#awaiting) {
      const { spec } = cell.type;
      const isStarting = cell.phase === STARTING;
      const limit = isStarting ? spec.startTimeoutMs : spec.handlerTimeoutMs;
      const afterMs = now - cell.since;
      if (limit !== Infinity) this.#expires = true;
      if (afterMs < limit) continue;
      const method = nameOf(this.#parts.outbox.names, cell.method);
      end(cell, isStarting ? { kind: "init_timeout", afterMs: limit } : { kind: "unresponsive", method, afterMs });
    }
  }

  #call(
    cell: Cell,
    number: number,
    method: number | string,
    limitMs: number,
    target: unknown,
    code: Code,
    args: readonly unknown[],
    outcome: Outcome,
  ): void {
    this.#enter(cell, number, method, limitMs);
    let result: unknown;
    try {
      result = args.length === 1 ? code.call(target, cell.context, args[0]) : code.call(target, cell.context, ...args);
    } catch (error) {
      this.#leave(limitMs);
      outcome.failed(cell, error);
      return;
    }
    this.#leave(limitMs);
    if (isThenable(result)) this.#await(cell, limitMs, result, outcome);
    else outcome.succeeded(cell, result);
  }

  #enter(cell: Cell, number: number, method: number | string, limitMs: number): void {
    const { table, attribution } = this.#parts;
    cell.method = method;
    this.#state.limitHandling(limitMs);
    if (number > 0) this.#state.beginHandling(number);
    else this.#state.beginHandlingNamed(String(method));
    table[TABLE_CURRENT] = cell.number;
    attribution.current = cell;
  }

  /** The limit holds on for what it has left to run, as microtasks without end: until the next round. */
  #leave(limitMs: number): void {
    const { table, attribution } = this.#parts;
    attribution.current = undefined;
    table[TABLE_CURRENT] = 0;
    this.#state.endHandling();
    if (limitMs === Infinity) this.#state.limitHandling(0);
  }

  /** Of code that no handler has called, and of what that leaves: until the next round. */
  #limit(limitMs: number): void {
    this.#state.limitHandling(limitMs === Infinity ? 0 : limitMs);
  }

  #await(cell: Cell, limitMs: number, result: PromiseLike<unknown>, outcome: Outcome): void {
    // Its own code may have ended it.
    if (cell.phase !== ENDED) {
      cell.busy = true;
      cell.since = performance.now();
      this.#awaiting.add(cell);
      if (limitMs !== Infinity) this.#look();
    }
    const settled = (): boolean => {
      // Nothing waits for its late result.
      if (cell.phase === ENDED) return false;
      cell.busy = false;
      this.#awaiting.delete(cell);
      return true;
    };
    result.then(
      (value) => {
        if (!settled()) return;
        outcome.succeeded(cell, value);
        if (!this.afterwards(cell)) this.#line.wake(cell);
      },
      (error: unknown) => {
        if (!settled()) return;
        outcome.failed(cell, error);
        if (!this.afterwards(cell)) this.#line.wake(cell);
      },
    );
  }
}
