import { BOUNDS } from "../options/bounds.js";
import {
  aSignal,
  duration,
  type Fields,
  field,
  flag,
  integer,
  takeArgument,
  takeOptions,
  transferables,
} from "../options/fields.js";
import type { Transferable } from "./actor-types.js";

/** What `with` takes: defaults for what is sent by the reference. */
export interface RefOptions {
  /** How long a call may take before it rejects with ERR_CALL_TIMEOUT. Default 5 000. */
  readonly timeoutMs?: number | undefined;
  /** Aborting it rejects the call with ERR_CALL_ABORTED and aborts the handler's `ctx.signal`. */
  readonly signal?: AbortSignal | undefined;
  /** Objects in the arguments that change hands instead of being copied; unusable here once the message is accepted. */
  readonly transfer?: readonly Transferable[] | undefined;
}

const OF_CALLS: Fields = {
  timeoutMs: duration("a number of ms, 0 or more, or Infinity"),
  signal: aSignal,
  transfer: transferables,
};
const anExport = field("the name of an export", (name) => typeof name === "string" && name !== "");
const OF_TASKS: Fields = {
  signal: aSignal,
  transferList: transferables,
  name: anExport,
};
const OF_MAPS: Fields = {
  concurrency: integer(BOUNDS.mappedTasks),
  ordered: flag,
  signal: aSignal,
  name: anExport,
};
const iterable = field(
  "an object that is iterable, or an async iterable",
  (source) =>
    typeof source?.[Symbol.asyncIterator] === "function" ||
    // A text is one by accident.
    (typeof source === "object" && typeof source?.[Symbol.iterator] === "function"),
);

/** `more` over `before`. Throws ERR_INVALID_OPTION, which names the option, its value and what is allowed. */
export function mergeOptions(id: string, before: RefOptions, more: RefOptions): RefOptions {
  return { ...before, ...takeOptions(`id=${id} with`, more, OF_CALLS) };
}

/** The same for how a pool is to run a task. */
export function takeRunOptions<T extends object>(id: string, options: T): T {
  return takeOptions(`id=${id} run`, options, OF_TASKS);
}

/** The same for how a pool is to run many. */
export function takeMapOptions<T extends object>(id: string, options: T): T {
  return takeOptions(`id=${id} map`, options, OF_MAPS);
}

/** Throws ERR_INVALID_OPTION for what is not iterable. */
export function takeSource<T>(id: string, source: T): T {
  return takeArgument(`id=${id} map`, "source", source, iterable);
}
