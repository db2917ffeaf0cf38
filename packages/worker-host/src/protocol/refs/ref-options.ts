import { aSignal, duration, type Fields, field, takeOptions, transferables } from "../options/fields.js";
import type { Transferable } from "./actor-types.js";

/** What `with` takes: defaults for what is sent by the reference. */
export interface RefOptions {
  /** How long a call may take before it rejects with ERR_CALL_TIMEOUT. Default 5 000. */
  readonly timeoutMs?: number;
  /** Aborting it rejects the call with ERR_CALL_ABORTED and aborts the handler's `ctx.signal`. */
  readonly signal?: AbortSignal;
  /** Objects in the arguments that change hands instead of being copied; unusable here once the message is accepted. */
  readonly transfer?: readonly Transferable[];
}

const OF_CALLS: Fields = {
  timeoutMs: duration("a number of ms, 0 or more, or Infinity"),
  signal: aSignal,
  transfer: transferables,
};
const OF_TASKS: Fields = {
  signal: aSignal,
  transferList: transferables,
  name: field("the name of an export", (name) => typeof name === "string" && name !== ""),
};

/** `more` over `before`. Throws ERR_INVALID_OPTION, which names the option, its value and what is allowed. */
export function mergeOptions(id: string, before: RefOptions, more: RefOptions): RefOptions {
  return { ...before, ...takeOptions(`id=${id} with`, more, OF_CALLS) };
}

/** The same for how a pool is to run a task. */
export function takeRunOptions<T extends object>(id: string, options: T): T {
  return takeOptions(`id=${id} run`, options, OF_TASKS);
}
