import type { Transferable } from "./actor-types.js";

export interface RefOptions {
  /** How long a call may take before it rejects with ERR_CALL_TIMEOUT. Default 5 000. */
  readonly timeoutMs?: number;
  /** Aborting it rejects the call with ERR_CALL_ABORTED and aborts the handler's `ctx.signal`. */
  readonly signal?: AbortSignal;
  /** Objects in the arguments that change hands instead of being copied; unusable here once the message is accepted. */
  readonly transfer?: readonly Transferable[];
}

const OPTIONS: Readonly<Record<string, readonly [isRight: (value: any) => boolean, allowed: string]>> = {
  timeoutMs: [(ms) => typeof ms === "number" && ms >= 0, "a number of ms, 0 or more, or Infinity"],
  signal: [(signal) => typeof signal?.addEventListener === "function", "an AbortSignal"],
  transfer: [Array.isArray, "a list of what is to change hands"],
};

/** `more` over `before`. Throws TypeError, which names the option, its value and what is allowed. */
export function mergeOptions(id: string, before: RefOptions, more: RefOptions): RefOptions {
  for (const name in more) {
    const value = (more as Record<string, unknown>)[name];
    if (!Object.hasOwn(OPTIONS, name)) {
      throw new TypeError(`id=${id} with: no option ${name}; there are: ${Object.keys(OPTIONS).join(", ")}`);
    }
    const [isRight, allowed] = OPTIONS[name];
    if (value !== undefined && !isRight(value)) {
      throw new TypeError(`id=${id} with: ${name}=${String(value)}, must be ${allowed}`);
    }
  }
  return { ...before, ...more };
}
