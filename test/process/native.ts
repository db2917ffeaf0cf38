import type { ActorSpec } from "@mini-otp/runtime";
import { testSystem } from "../support/system.js";
import type Native from "./fixtures/native.actor.js";

/** An actor in a process of its own, whose module has native memory. */
export async function startNative(options: Partial<ActorSpec<typeof Native>> = {}) {
  const system = await testSystem({ intensity: 10 });
  const ref = await system.startChild<typeof Native>({
    id: "native",
    actor: new URL("./fixtures/native.actor.js", import.meta.url),
    isolation: "process",
    callTimeoutMs: 50_000,
    ...options,
  });
  return { system, ref };
}
