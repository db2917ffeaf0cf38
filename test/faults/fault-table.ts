import type { ExitKind } from "@mini-otp/runtime";

export interface ExpectedFault {
  /** When it happens: in a handler, in a start that therefore fails, or while it is being stopped. */
  readonly stage: "handler" | "start" | "stop";
  /** What the exit, or the failed start, is for. */
  readonly reason: ExitKind;
  /** Which of the two it is depends on the version of V8. */
  readonly orReason?: readonly ExitKind[];
  /** The code of the error a failed start rejects with. */
  readonly code?: string;
  readonly handlerTimeoutMs?: number;
  readonly startTimeoutMs?: number;
  /** Default 5 000. */
  readonly shutdownMs?: number;
}

const heap = { stage: "handler", reason: "heap_cap_exceeded" } as const;
const offHeap = { stage: "handler", reason: "off_heap_cap_exceeded" } as const;
const stuck = { stage: "handler", reason: "unresponsive", handlerTimeoutMs: 300 } as const;
const thrown = { stage: "handler", reason: "error" } as const;
const exit = { stage: "handler", reason: "exit_called" } as const;

/** Every fault program, and what has to come of it. */
export const FAULTS: Readonly<Record<string, ExpectedFault>> = {
  "array-of-objects": heap,
  "array-of-flat-objects": heap,
  "array-of-numbers": heap,
  "array-fill": heap,
  "array-spread": heap,
  "array-of-arrays": heap,
  "array-concat": heap,
  "map-growth": heap,
  "map-of-objects": heap,
  "set-growth": heap,
  "object-keys": heap,
  "linked-list": heap,
  "weakref-growth": heap,
  "string-concatenated": heap,
  "string-flat": heap,
  "string-external": offHeap,
  "json-stringify": heap,
  "json-parse": heap,
  closures: heap,
  "closures-uninterruptible": {
    stage: "handler",
    reason: "heap_cap_exceeded",
    orReason: ["unresponsive"],
    handlerTimeoutMs: 1000,
  },
  promises: heap,
  "microtask-growth": heap,
  "event-loop-growth": heap,
  "interval-growth": heap,
  generators: heap,
  "eval-growth": heap,
  symbols: heap,
  "bigint-growth": heap,
  "regex-matches": heap,
  "structured-clone": heap,
  "sort-huge": heap,
  "stdout-flood": heap,
  "typed-arrays": offHeap,
  "array-buffers": offHeap,
  buffers: offHeap,
  "small-buffers": heap,
  "shared-array-buffers": offHeap,
  "wasm-memory": offHeap,
  "spawn-workers": thrown,
  "deep-recursion": thrown,
  "deep-recursion-swallowed": stuck,
  "loop-sync": stuck,
  "loop-microtask": stuck,
  "loop-async": stuck,
  "handler-never-returns": stuck,
  "loop-timer": stuck,
  "loop-regex": stuck,
  "loop-getter": stuck,
  "blocked-in-atomics": stuck,
  "native-crypto": stuck,
  "child-process": stuck,
  "throw-string": thrown,
  "throw-null": thrown,
  "throw-frozen": thrown,
  "throw-uncloneable": thrown,
  "throw-getter": thrown,
  "throw-proxy": thrown,
  "throw-after-reply": thrown,
  "throw-in-timer": thrown,
  "unhandled-rejection": thrown,
  "process-kill": thrown,
  "process-abort": thrown,
  "process-chdir": thrown,
  "v8-flags": thrown,
  descriptors: thrown,
  "exit-in-handler": exit,
  "exit-in-timer": exit,
  "loop-init": { stage: "start", reason: "init_timeout", code: "ERR_INIT_TIMEOUT", startTimeoutMs: 1000 },
  "growth-in-init": { stage: "start", reason: "heap_cap_exceeded", code: "ERR_INIT_FAILED" },
  "growth-at-load": { stage: "start", reason: "heap_cap_exceeded", code: "ERR_INIT_FAILED" },
  "throw-in-init": { stage: "start", reason: "init_failed" },
  "exit-in-init": { stage: "start", reason: "exit_called", code: "ERR_INIT_FAILED" },
  "exit-at-load": { stage: "start", reason: "exit_called", code: "ERR_INIT_FAILED" },
  "unsettled-await-at-load": { stage: "start", reason: "init_timeout", code: "ERR_INIT_TIMEOUT", startTimeoutMs: 1000 },
  "missing-import": { stage: "start", reason: "init_failed", code: "ERR_ACTOR_MODULE" },
  "syntax-error": { stage: "start", reason: "init_failed", code: "ERR_ACTOR_MODULE" },
  "no-default-export": { stage: "start", reason: "init_failed", code: "ERR_ACTOR_MODULE" },
  "loop-terminate": { stage: "stop", reason: "killed", shutdownMs: 500 },
  "growth-in-terminate": { stage: "stop", reason: "heap_cap_exceeded" },
  "throw-in-terminate": { stage: "stop", reason: "error" },
  "exit-in-terminate": { stage: "stop", reason: "exit_called" },
};

export const MEMORY_FAULTS = Object.entries(FAULTS)
  .filter(([, { reason }]) => reason.endsWith("cap_exceeded"))
  .map(([name]) => name);
