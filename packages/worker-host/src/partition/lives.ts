import type { ActorContext } from "../actor/context.js";
import { isIgnore } from "../actor/define-actor.js";
import { type ExitReason, NORMAL } from "../protocol/errors/exit-reason.js";
import { CELL_WORDS, isEndWanted } from "../protocol/memory/cells.js";
import { METHOD_INIT, METHOD_TERMINATE } from "../protocol/memory/name-table.js";
import { type Cell, ENDED, ENDING, STARTING, type StartedMember, UP } from "./cell.js";
import type { Line } from "./line.js";
import type { Mailboxes } from "./mailboxes.js";
import type { MemberRestarts } from "./member-restarts.js";
import type { MemberType } from "./member-type.js";
import { exited, logOf, nameOf, type PartitionParts } from "./parts.js";
import type { Roster } from "./roster.js";
import type { Outcome, Runner } from "./runner.js";

/** Begins and ends the lives of members. */
export class Lives {
  /** Set before the first life begins. */
  contextFor!: (cell: Cell) => ActorContext<any>;
  /** Tells those that are linked to a member that has ended. */
  tellPartners: (cell: Cell, reason: ExitReason) => void = () => {};
  /** A life is over, and its next one, if there is one, is to begin. */
  afterEnd: (cell: Cell) => void = () => {};
  /** A member has ended, with the partition still alive. */
  onEnd: (cell: Cell, reason: ExitReason) => void = () => {};
  readonly #parts: PartitionParts;
  readonly #roster: Roster;
  readonly #mailboxes: Mailboxes;
  readonly #runner: Runner;
  readonly #line: Line;
  readonly #restarts: MemberRestarts;
  readonly #init: Outcome = {
    succeeded: (cell, state) => this.#initialised(cell, state),
    failed: (cell, error) => this.end(cell, { kind: "init_failed", error }),
  };

  constructor(
    parts: PartitionParts,
    roster: Roster,
    mailboxes: Mailboxes,
    runner: Runner,
    line: Line,
    restarts: MemberRestarts,
  ) {
    this.#parts = parts;
    this.#roster = roster;
    this.#mailboxes = mailboxes;
    this.#runner = runner;
    this.#line = line;
    this.#restarts = restarts;
  }

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
    const cell = this.#roster.create(type, name, args);
    cell.context = this.contextFor(cell);
    cell.started = started;
    if (handed !== undefined) cell.more.handed = handed;
    return cell;
  }

  /** Another life of a member that ended with the former thread. It begins once the line has it. */
  inherit(type: MemberType, name: string, number: number, generation: number, args: unknown): Cell {
    const cell = this.#roster.inherit(type, name, number, generation, args);
    cell.context = this.contextFor(cell);
    return cell;
  }

  /** Runs its `init` now. */
  begin(cell: Cell): void {
    const { definition, spec } = cell.type;
    if (definition.init === undefined) {
      this.#initialised(cell, undefined);
      return;
    }
    const init = (): unknown => definition.init?.(cell.args as never, cell.context as never);
    this.#runner.run(cell, METHOD_INIT, spec.startTimeoutMs, init, this.#init);
  }

  #initialised(cell: Cell, state: unknown): void {
    if (isIgnore(state)) {
      settle(cell, { kind: "ignored" });
      this.dismiss(cell, NORMAL);
      return;
    }
    if (cell.context !== undefined) cell.context.state = state;
    cell.phase = UP;
    settle(cell, { kind: "started" });
    this.#line.wake(cell);
  }

  /** Ends it once it has handled what it has accepted, with `terminate`. */
  drain(cell: Cell, reason: ExitReason): void {
    this.#roster.drain(cell);
    cell.draining ??= reason;
    cell.extras?.signal?.abort();
    if (cell.phase === STARTING && !cell.busy) this.end(cell, reason);
    else this.#line.wake(cell);
  }

  /** Ends it between two messages, with `terminate`. */
  stop(cell: Cell, reason: ExitReason): void {
    cell.stopping ??= reason;
    cell.extras?.signal?.abort();
    this.#line.wake(cell);
  }

  /** Its turn to end has come. */
  terminate(cell: Cell, reason: ExitReason): void {
    const { definition, spec } = cell.type;
    const { terminate } = definition;
    if (terminate === undefined) {
      this.end(cell, reason);
      return;
    }
    cell.phase = ENDING;
    const code = (): unknown => terminate.call(definition, cell.context as never, reason);
    this.#runner.run(cell, METHOD_TERMINATE, spec.handlerTimeoutMs, code, {
      succeeded: () => this.end(cell, reason),
      failed: (_cell, error) => this.end(cell, { kind: "error", error }),
    });
  }

  /** Ends it at once, and it is not started again. */
  dismiss(cell: Cell, reason: ExitReason): void {
    cell.draining ??= reason;
    this.end(cell, reason);
  }

  /**
   * Ends this life at once. All that wait for it learn why; what it has goes, but for the mailbox of one that begins
   * another life.
   */
  readonly end = (cell: Cell, reason: ExitReason): void => {
    if (cell.phase === ENDED) return;
    const { table, news } = this.#parts;
    const verdict = this.#restarts.after(cell, reason, performance.now());
    cell.phase = ENDED;
    cell.busy = false;
    // Before the code of this life that is still to run: what that sends to the member is the next life's.
    const next = verdict.outcome === "restarted" ? this.#succeed(cell, verdict.failures) : undefined;
    if (next === undefined) this.#roster.close(cell);
    this.#runner.forget(cell);
    this.#fail(cell, reason);
    const lost = next === undefined ? this.#discard(cell, reason) : this.#dropped(next, reason);
    this.#release(cell);
    if (next === undefined) this.#mailboxes.close(cell);
    settle(cell, { kind: "failed", reason });
    // After the next life, or that there is none, is there for main to see.
    const isWatched = isEndWanted(table, cell.number * CELL_WORDS, cell.incarnation);
    news.ended(cell, reason, lost, isWatched ? this.#roster.refTo(cell) : undefined, verdict.outcome);
    if (next === undefined) this.#roster.remember(cell, reason);
    for (const told of cell.extras?.watchers ?? []) told(reason);
    this.tellPartners(cell, reason);
    // Last, because from then on another life may have this cell.
    if (next === undefined) this.#roster.free(cell);
    else this.#line.wake(next);
    this.afterEnd(cell);
    this.onEnd(cell, reason);
    this.#line.schedule();
  };

  /** Its next life, which begins at its turn. */
  #succeed(cell: Cell, failures: readonly number[]): Cell {
    const next = this.#roster.succeed(cell, failures);
    next.context = this.contextFor(next);
    this.#mailboxes.handOver(cell, next);
    const tracer = cell.extras?.tracer;
    if (tracer !== undefined) next.more.tracer = tracer;
    return next;
  }

  /** What a restart drops of what waits. Returns how many messages that were. */
  #dropped(next: Cell, reason: ExitReason): number {
    if (!next.type.spec.dropsOnRestart) return 0;
    const { names } = this.#parts.outbox;
    return this.#mailboxes.empty(next, ({ caller, method }) =>
      caller?.fail(exited(next, nameOf(names, method), reason)),
    );
  }

  /** Empties its mailbox. Returns how many messages that were. */
  #discard(cell: Cell, reason: ExitReason): number {
    const { names } = this.#parts.outbox;
    return this.#mailboxes.discard(cell, ({ caller, method }) =>
      caller?.fail(exited(cell, nameOf(names, method), reason)),
    );
  }

  /** Fails the calls that it has taken and not answered. */
  #fail(cell: Cell, reason: ExitReason): void {
    const { caller, isDeferred, extras } = cell;
    cell.caller = undefined;
    if (caller !== undefined && !isDeferred) {
      caller.fail(exited(cell, nameOf(this.#parts.outbox.names, cell.method), reason));
    }
    for (const deferred of extras?.deferred ?? []) deferred.fail(exited(cell, "", reason));
    extras?.deferred.clear();
  }

  /** What belongs to this life goes with it. */
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

  /** Its own code: what it leaves to run is charged to it, not to the one that has ended it. */
  #safely(cell: Cell, task: () => unknown): void {
    const { attribution } = this.#parts;
    const before = attribution.current;
    attribution.current = cell;
    try {
      task();
    } catch (error) {
      logOf(this.#parts, cell).error(error as Error, "what the actor owned could not be let go");
    } finally {
      attribution.current = before;
    }
  }
}

/** Tells how its start ended, once. */
function settle(cell: Cell, outcome: StartedMember): void {
  const { started } = cell;
  cell.started = undefined;
  started?.(outcome);
}
