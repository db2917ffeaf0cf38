import type { ActorContext, ActorLog } from "../actor/context.js";
import type { Microtasks } from "../loop/microtasks.js";
import { ActorError } from "../protocol/errors/errors.js";
import { describeExit, type ExitReason } from "../protocol/errors/exit-reason.js";
import { takeFrames } from "../protocol/errors/remote-error.js";
import type { NameTable } from "../protocol/memory/name-table.js";
import type { IntensityLimit } from "../protocol/options/restart-intensity.js";
import { decodeReason, encodeForeign } from "../protocol/values/encoded.js";
import type { Attribution } from "./attribution.js";
import type { Cell } from "./cell.js";
import type { News } from "./news.js";
import type { PartitionOutbox } from "./partition-outbox.js";

/** The caps of a partition's thread, in MiB. */
export interface Caps {
  readonly heapCapMb: number;
  readonly offHeapCapMb: number;
}

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
  /** How often a member may be started again. */
  readonly restarts: IntensityLimit;
  readonly caps: Caps;
  /** `id`: the member whose message it is, where that is known. */
  unhandled(method: string, detail: string, id?: string): void;
}

export function logOf({ log }: Pick<PartitionParts, "log">, { name }: Cell): ActorLog {
  return log.child({ member: name });
}

/** What a member is told of another's end: a copy, as any message. */
export function copyOfReason({ outbox: { codec } }: Pick<PartitionParts, "outbox">, reason: ExitReason): ExitReason {
  return Object.isFrozen(reason) ? reason : decodeReason(codec, encodeForeign(codec, reason));
}

/** A method's name, of a message that may have its number. */
export function nameOf(names: NameTable, method: number | string): string {
  return typeof method === "string" ? method : names.name(method);
}

/** For a call whose actor ends before it replies. */
export function exited({ id }: { readonly id: string }, method: string, reason: ExitReason): ActorError {
  const message = `id=${id} method=${method}: the actor exited before it replied: ${describeExit(reason)}`;
  const error = new ActorError("ERR_CALL_EXIT", message, { id, method, reason });
  return "error" in reason ? (takeFrames(error, reason.error) as ActorError) : error;
}
