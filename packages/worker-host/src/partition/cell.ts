import type { ActorContext } from "../actor/context.js";
import type { Tracer } from "../loop/tracer.js";
import { fullMailbox } from "../protocol/calls/overflow.js";
import type { ActorError } from "../protocol/errors/errors.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import {
  blockTimeoutOf,
  CELL_CAPACITY,
  CELL_CAPACITY_BYTES,
  CELL_POLICY,
  CELL_WORDS,
  overflowOf,
  RESTART_TEMPORARY,
} from "../protocol/memory/cells.js";
import type { Connection } from "../protocol/refs/actor-ref.js";
import type { MemberType } from "./member-type.js";

/** How far a light actor's life is. */
export const STARTING = 0;
export const UP = 1;
/** `terminate` runs. */
export const ENDING = 2;
export const ENDED = 3;
export type Phase = typeof STARTING | typeof UP | typeof ENDING | typeof ENDED;

/** Who waits for the answer to a call. */
export interface Caller {
  succeed(value: unknown): void;
  fail(error: unknown): void;
  /** True for the caller with this slot and correlation. */
  is(uid: number, correlation: number): boolean;
}

export type Kind = "call" | "cast" | "send";

/** A message that waits for a light actor on the heap of its thread. */
export class Waiting {
  readonly method: number | string;
  readonly args: unknown[];
  readonly bytes: number;
  readonly caller: Caller | undefined;
  readonly isSend: boolean;
  next: Waiting | undefined = undefined;

  constructor(method: number | string, args: unknown[], bytes: number, caller: Caller | undefined, isSend: boolean) {
    this.method = method;
    this.args = args;
    this.bytes = bytes;
    this.caller = caller;
    this.isSend = isSend;
  }
}

/** A message that needs no room in the mailbox: a timer's, a continuation, a DOWN. `method` "" is `info`. */
export interface OwnWaiting {
  readonly method: string;
  readonly args: unknown[];
  /** Called when its turn comes; false drops it. */
  taken?(): boolean;
}

/** What few light actors have. */
export interface Extras {
  /** Messages of its own, before its mailbox; continuations first. */
  readonly own: OwnWaiting[];
  readonly continuations: OwnWaiting[];
  readonly timers: Map<number, () => void>;
  readonly owned: { readonly thing: unknown; readonly dispose: (thing: any) => void }[];
  readonly releases: Set<() => void>;
  /** Calls whose reply it has deferred. */
  readonly deferred: Set<Caller>;
  /** Monitors that it has set: what takes each off. */
  readonly monitors: Map<number, () => void>;
  /** Told, in order, when its life ends. */
  readonly watchers: Set<(reason: ExitReason) => void>;
  /** Those of this partition that it is linked to. */
  readonly links: Set<Cell>;
  trapsExits: boolean;
  /** Present while main traces it. */
  tracer: Tracer | undefined;
  handed: unknown;
  signal: AbortController | undefined;
}

/** What a member that is started again takes from life to life. */
export interface History {
  readonly incarnation: number;
  /** When its earlier lives failed, in `performance.now` time. */
  readonly failures: readonly number[];
}

/** One life of a light actor, as its partition keeps it. Also the connection of its own thread's references to it. */
export class Cell implements Connection {
  readonly number: number;
  readonly generation: number;
  /** The member's id: with the supervisor's path it is the path. */
  readonly name: string;
  /** Another after an upgrade. */
  type: MemberType;
  /** The next thread starts it again: what waits in it is counted in the table. */
  readonly kept: boolean;
  readonly args: unknown;
  context: ActorContext<any> | undefined = undefined;
  phase: Phase = STARTING;
  /** A handler's promise, or that of `init` or `terminate`, has not settled. */
  busy = false;
  /** Its messages wait until main resumes it. */
  suspended = false;
  /** It is in the partition's line of those that have something to do. */
  inLine = false;
  nextInLine: Cell | undefined = undefined;
  first: Waiting | undefined = undefined;
  last: Waiting | undefined = undefined;
  /** Accepted by its mailbox and not taken yet, for main's and other threads' eyes in shared memory too. */
  caller: Caller | undefined = undefined;
  isDeferred = false;
  /** Since when the handler that is busy runs, in `performance.now` time. */
  since = 0;
  method: number | string = 0;
  stopping: ExitReason | undefined = undefined;
  draining: ExitReason | undefined = undefined;
  extras: Extras | undefined = undefined;
  /** Casts that wait for room elsewhere. */
  unsent = 0;
  /** Of a member that was started again. */
  history: History | undefined = undefined;
  /** Once it has ended: its next life, which has its cell and its mailbox. */
  successor: Cell | undefined = undefined;
  /** Settles its start. */
  started: ((outcome: StartedMember) => void) | undefined = undefined;
  readonly #supervisor: string;

  constructor(number: number, generation: number, name: string, supervisor: string, type: MemberType, args: unknown) {
    this.number = number;
    this.generation = generation;
    this.name = name;
    this.#supervisor = supervisor;
    this.type = type;
    this.kept = type.spec.restart !== RESTART_TEMPORARY;
    this.args = args;
  }

  /** Path from the root. */
  get id(): string {
    return `${this.#supervisor}/${this.name}`;
  }

  get incarnation(): number {
    return this.history?.incarnation ?? 1;
  }

  /** The life that has this one's cell now. */
  get latest(): Cell {
    let cell: Cell = this;
    while (cell.successor !== undefined) cell = cell.successor;
    return cell;
  }

  get more(): Extras {
    this.extras ??= {
      own: [],
      continuations: [],
      timers: new Map(),
      owned: [],
      releases: new Set(),
      deferred: new Set(),
      monitors: new Map(),
      watchers: new Set(),
      links: new Set(),
      trapsExits: false,
      tracer: undefined,
      handed: undefined,
      signal: undefined,
    };
    return this.extras;
  }
}

/** How the start of a light actor ended. */
export type StartedMember =
  | { readonly kind: "started" }
  | { readonly kind: "ignored" }
  | { readonly kind: "failed"; readonly reason: ExitReason };

export function mailboxFull(table: Int32Array, { id, number }: Cell, method: string): ActorError {
  const at = number * CELL_WORDS;
  const [capacity, capacityBytes, policy] = [CELL_CAPACITY, CELL_CAPACITY_BYTES, CELL_POLICY].map(
    (word) => table[at + word],
  );
  const [overflow, blockTimeoutMs] = [overflowOf(policy), blockTimeoutOf(policy)];
  return fullMailbox({ id, capacity, capacityBytes, overflow, blockTimeoutMs }, method);
}
