import type { Transferable } from "./actor-types.js";

export interface RefOptions {
  /** How long a call may take before it rejects with ERR_CALL_TIMEOUT. Default 5 000. */
  readonly timeoutMs?: number;
  /** Aborting it rejects the call with ERR_CALL_ABORTED and aborts the handler's `ctx.signal`. */
  readonly signal?: AbortSignal;
  /** Objects in the arguments that change hands instead of being copied; unusable here once the message is accepted. */
  readonly transfer?: readonly Transferable[];
}

type Options = Readonly<Record<string, readonly [isRight: (value: any) => boolean, allowed: string]>>;

const SIGNAL = [(signal: any) => typeof signal?.addEventListener === "function", "an AbortSignal"] as const;
const LIST = [Array.isArray, "a list of what is to change hands"] as const;

const OF_CALLS: Options = {
  timeoutMs: [(ms) => typeof ms === "number" && ms >= 0, "a number of ms, 0 or more, or Infinity"],
  signal: SIGNAL,
  transfer: LIST,
};
const OF_TASKS: Options = {
  signal: SIGNAL,
  transferList: LIST,
  name: [(name) => typeof name === "string", "the name of an export"],
};

/** `more` over `before`. Throws TypeError, which names the option, its value and what is allowed. */
export function mergeOptions(id: string, before: RefOptions, more: RefOptions): RefOptions {
  check(`id=${id} with`, more, OF_CALLS);
  return { ...before, ...more };
}

/** The same for how a pool is to run a task. */
export function checkRunOptions(id: string, options: object): void {
  check(`id=${id} run`, options, OF_TASKS);
}

function check(what: string, given: object, options: Options): void {
  for (const name in given) {
    const value = (given as Record<string, unknown>)[name];
    if (!Object.hasOwn(options, name)) {
      throw new TypeError(`${what}: no option ${name}; there are: ${Object.keys(options).join(", ")}`);
    }
    const [isRight, allowed] = options[name];
    if (value !== undefined && !isRight(value)) {
      throw new TypeError(`${what}: ${name}=${String(value)}, must be ${allowed}`);
    }
  }
}
