import type { ActorDefinition } from "../actor/define-actor.js";
import { describe } from "../protocol/errors/describe.js";
import { ActorError } from "../protocol/errors/errors.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { METHOD_INIT } from "../protocol/memory/name-table.js";
import type { UpgradedMembers } from "../protocol/port/partition.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import { type Cell, ENDED, ENDING, STARTING, UP } from "./cell.js";
import type { Line } from "./line.js";
import type { MemberType } from "./member-type.js";
import type { PartitionParts } from "./parts.js";
import type { Roster } from "./roster.js";
import type { Runner } from "./runner.js";

/** Members change for so long at once, then the partition's other work has its turn. */
const SLICE_MS = 4;

export interface UpgradeParts {
  readonly roster: Roster;
  readonly runner: Runner;
  readonly line: Line;
}

/** One upgrade: of all members that have code of one module. */
interface Open {
  /** Of the former code. */
  readonly fromVersion: string;
  readonly definition: ActorDefinition<any, any, any>;
  readonly timeoutMs: number;
  typeFor(former: MemberType): MemberType;
  /** Members that handle a message, or begin. */
  readonly waiting: Set<Cell>;
  /** Members whose `codeChange` has not settled. */
  changing: number;
  upgraded: number;
  kept: number;
  error: unknown;
  /** All members have been seen once. */
  isUnderWay: boolean;
  settle: () => void;
}

/**
 * Gives members other code between two of their messages: their states stay where they are, for the new module is loaded
 * beside the old one. A member whose `codeChange` throws goes on with the code that it has.
 */
export class MemberUpgrades {
  readonly #partition: PartitionParts;
  readonly #parts: UpgradeParts;
  #open: Open | undefined;

  constructor(partition: PartitionParts, parts: UpgradeParts) {
    this.#partition = partition;
    this.#parts = parts;
  }

  /** Resolves when each has changed, or goes on as before. `isMeant`: whether members of this type are upgraded. */
  async run(
    isMeant: (type: MemberType) => boolean,
    upgrade: Pick<Open, "definition" | "fromVersion" | "timeoutMs" | "typeFor">,
  ): Promise<Pick<UpgradedMembers, "upgraded" | "kept" | "error">> {
    const open: Open = {
      ...upgrade,
      waiting: new Set(),
      changing: 0,
      upgraded: 0,
      kept: 0,
      error: undefined,
      isUnderWay: true,
      settle: () => {},
    };
    const done = new Promise<void>((resolve) => {
      open.settle = resolve;
    });
    this.#open = open;
    const timer = this.#partition.attribution.asNone(() => setTimeout(() => this.#timedOut(open), upgrade.timeoutMs));
    try {
      await this.#each(isMeant, open);
      open.isUnderWay = false;
      this.#settleIfDone(open);
      await done;
    } finally {
      clearTimeout(timer);
      this.#open = undefined;
    }
    const { upgraded, kept, error } = open;
    // Nothing has changed.
    if (upgraded === 0 && error !== undefined) throw error;
    const { codec } = this.#partition.outbox;
    return { upgraded, kept, error: error === undefined ? undefined : encodeForeign(codec, error) };
  }

  async #each(isMeant: (type: MemberType) => boolean, open: Open): Promise<void> {
    let until = performance.now() + SLICE_MS;
    for (const cell of [...this.#parts.roster.cells]) {
      if (!isMeant(cell.type)) continue;
      if (cell.busy || cell.phase === ENDING) open.waiting.add(cell);
      else this.#change(cell, open);
      if (performance.now() < until) continue;
      await this.#partition.attribution.asNone(() => new Promise((resolve) => setImmediate(resolve)));
      until = performance.now() + SLICE_MS;
    }
  }

  /** It awaits nothing any more. True when it changes, or has. */
  takes(cell: Cell): boolean {
    const open = this.#open;
    if (open === undefined || !open.waiting.delete(cell)) return false;
    this.#change(cell, open);
    return true;
  }

  /** It has ended: nothing waits for it any more. Its next life has its code. */
  ended(cell: Cell): void {
    const open = this.#open;
    if (open === undefined || !open.waiting.delete(cell)) return;
    const { successor } = cell;
    if (successor !== undefined) this.#change(successor, open);
    else this.#settleIfDone(open);
  }

  #change(cell: Cell, open: Open): void {
    const { definition, fromVersion } = open;
    const { codeChange } = definition;
    if (cell.phase === ENDED) {
      this.#settleIfDone(open);
      return;
    }
    // One that has not begun begins with the new code.
    if (cell.phase === STARTING || codeChange === undefined) {
      this.#changed(cell, open, cell.context?.state);
      return;
    }
    open.changing++;
    const state: unknown = cell.context?.state;
    const code = (): unknown => codeChange(state, fromVersion);
    this.#parts.runner.run(cell, METHOD_INIT, cell.type.spec.startTimeoutMs, code, {
      succeeded: (_cell, next) => {
        open.changing--;
        this.#changed(cell, open, next);
      },
      failed: (_cell, error) => {
        open.changing--;
        open.kept++;
        open.error ??= codeChangeFailed(cell, error);
        this.#parts.line.wake(cell);
        this.#settleIfDone(open);
      },
    });
  }

  #changed(cell: Cell, open: Open, state: unknown): void {
    cell.type = open.typeFor(cell.type);
    if (cell.phase === UP && cell.context !== undefined) cell.context.state = state;
    open.upgraded++;
    this.#parts.line.wake(cell);
    this.#settleIfDone(open);
  }

  #timedOut(open: Open): void {
    open.kept += open.waiting.size + open.changing;
    open.waiting.clear();
    const reason: ExitReason = { kind: "init_timeout", afterMs: open.timeoutMs };
    const { timeoutMs } = open;
    const stage = "waiting for the message being handled";
    const id = this.#partition.supervisor;
    const message = `id=${id} upgrade: not within timeoutMs=${timeoutMs} (${stage})`;
    open.error ??= new ActorError("ERR_INIT_TIMEOUT", message, { id, reason, timeoutMs, stage });
    open.changing = 0;
    this.#settleIfDone(open);
  }

  #settleIfDone(open: Open): void {
    if (!open.isUnderWay && open.waiting.size === 0 && open.changing <= 0) open.settle();
  }
}

function codeChangeFailed({ id }: Cell, cause: unknown): ActorError {
  const stage = "changing the code";
  const reason: ExitReason = { kind: "init_failed", error: cause };
  const message = `id=${id} upgrade: codeChange threw ${describe(cause)} (${stage})`;
  return new ActorError("ERR_INIT_FAILED", message, { id, stage, reason, cause });
}
