import type { ActorUrl } from "../supervision/child-spec.js";
import type Fault from "./fault.actor.js";

export type { FaultArgs } from "./fault.actor.js";

function fault(name: string): ActorUrl<typeof Fault> {
  return new URL(`./fault.actor.js?fault=${name}`, import.meta.url);
}

/**
 * Actor modules that are well until they get `call("fail")` or `cast("fail")`. With `args` they can also fail in `init`
 * or `terminate`, and in the first incarnations only. Each answers `ping` with `"pong"`.
 */
export const faults = Object.freeze({
  /** Throws. Ends with `error`. */
  crash: fault("crash"),
  /** Leaves a rejected promise unhandled. Ends with `error`. */
  reject: fault("reject"),
  /** Loops for ever. Ends with `unresponsive` after `handlerTimeoutMs`. */
  hang: fault("hang"),
  /** Awaits a promise that never settles, with a free event loop. Ends with `unresponsive` after `handlerTimeoutMs`. */
  stall: fault("stall"),
  /** Fills its heap. Ends with `heap_cap_exceeded`. */
  leak: fault("leak"),
  /** Allocates buffers. Ends with `off_heap_cap_exceeded`. */
  leakOffHeap: fault("leakOffHeap"),
  /** Calls `process.exit(7)`. Ends with `exit_called`. */
  exit: fault("exit"),
});
