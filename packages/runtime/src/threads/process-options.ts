import { BARE_THREAD_MB, type ProcessOptions } from "@mini-otp/worker-host/protocol/port";
import type { ActorSpec } from "../supervision/child-spec.js";
import { inheritedExecArgv, limitsFor, threadEnv } from "./actor-thread.js";

/** Of main's flags, those that would have the process take main's debugger port. */
const INSPECTS = /^--(?:inspect|debug-port)/;

/** How a process is started that runs a pool's functions, or an actor. */
export function processOptions(
  file: URL,
  {
    heapCapMb,
    offHeapCapMb,
    env,
  }: { readonly heapCapMb: number; readonly offHeapCapMb: number; readonly env?: ActorSpec["env"] },
  execArgv: readonly string[] = [],
): ProcessOptions {
  // V8's own limit is the cap here: reaching it ends this process alone.
  const { maxYoungGenerationSizeMb = 48 } = limitsFor(heapCapMb, 0);
  const limits = [
    `--max-old-space-size=${Math.ceil(heapCapMb + BARE_THREAD_MB)}`,
    // The young generation has three of these.
    `--max-semi-space-size=${Math.max(1, Math.round(maxYoungGenerationSizeMb / 3))}`,
  ];
  const inherited = inheritedExecArgv().filter((arg) => !INSPECTS.test(arg));
  return {
    file: file.href,
    execArgv: [...inherited, ...execArgv, ...limits],
    env: threadEnv(env).variables,
    heapCapMb,
    offHeapCapMb,
  };
}
