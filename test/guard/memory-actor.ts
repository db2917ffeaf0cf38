import type { ExitReason, Logger } from "@mini-otp/runtime";
import { testSystem } from "../support/system.js";
import type Memory from "./fixtures/memory.actor.js";

const MEMORY = new URL("./fixtures/memory.actor.js", import.meta.url);
const ignore = (): void => {};
export const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore };

/** An actor that the guard watches and the watchdog, unless the spec says so, does not. */
export async function memoryActor(
  spec: { heapCapMb?: number; offHeapCapMb?: number; handlerTimeoutMs?: number } = {},
  logger: Logger = silent,
) {
  const system = await testSystem({ intensity: 100, logger });
  const actor = await system.startChild<typeof Memory>({
    id: "memory",
    actor: MEMORY,
    handlerTimeoutMs: Infinity,
    ...spec,
  });
  const killed: { reason: ExitReason; atMs: number }[] = [];
  system.on("guard_killed", ({ reason }) => killed.push({ reason, atMs: performance.timeOrigin + performance.now() }));
  return { system, actor: actor.with({ timeoutMs: 120_000 }), killed };
}
