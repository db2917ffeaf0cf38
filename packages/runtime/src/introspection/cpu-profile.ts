import type { Profiler } from "node:inspector";
import { setTimeout } from "node:timers/promises";
import type { ProbedThread } from "../guard/probe.js";
import { sharedInspector } from "../guard/probe-inspector.js";

/** The answer of a thread that is ending: none. Its exit says why. */
const NEVER = new Promise<never>(() => {});
/** How long the inspector may take to attach to a thread. */
export const ATTACH_MS = 2000;

/**
 * Profiles a thread for `ms`, also one that is inside a handler. Rejects where there is no inspector: in a Node built
 * without it, and for a thread with a permission model. Never settles when the thread ends meanwhile.
 */
export async function cpuProfile(thread: ProbedThread, ms: number): Promise<Profiler.Profile> {
  const { threadId } = thread;
  const inspector = sharedInspector();
  if (inspector === null || !(await inspector.attaches(threadId, ATTACH_MS))) {
    throw new Error("cpuProfile: no inspector reaches this thread");
  }
  const ask = async (method: string): Promise<unknown> =>
    (await thread.ask(() => inspector.request(threadId, method))) ?? NEVER;
  await ask("Profiler.enable");
  try {
    await ask("Profiler.start");
    await setTimeout(ms, undefined, { ref: false });
    return ((await ask("Profiler.stop")) as { profile: Profiler.Profile }).profile;
  } finally {
    void thread.ask(() => inspector.request(threadId, "Profiler.disable"));
  }
}
