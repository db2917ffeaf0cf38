import { monitorEventLoopDelay } from "node:perf_hooks";
import { startSystem } from "@mini-otp/runtime";
import type Mortal from "./mortal.actor.js";

const ACTORS = 20;
const STORMS = 10;
const RESOLUTION_MS = 1;

/** Twenty actors crash at once, ten times: how long until all answer again, and how late main's timers are meanwhile. */
export async function restartStorm(): Promise<void> {
  const system = await startSystem({ logger: false, intensity: 10 * ACTORS * STORMS });
  const actor = new URL("./mortal.actor.js", import.meta.url);
  const refs = await Promise.all(
    Array.from({ length: ACTORS }, (_, i) => system.startChild<typeof Mortal>({ id: `mortal-${i}`, actor })),
  );
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  const startedAt = performance.now();
  for (let storm = 0; storm < STORMS; storm++) {
    await Promise.all(refs.map((ref) => ref.cast("crash")));
    await Promise.all(refs.map((ref) => ref.with({ timeoutMs: 60_000 }).call("ping")));
  }
  const tookMs = (performance.now() - startedAt) / STORMS;
  loop.disable();
  const { spares } = system.stats();
  await system.stop();
  const [p50, p99, max] = [loop.percentile(50), loop.percentile(99), loop.max].map((ns) => (ns / 1e6).toFixed(1));
  console.log(
    `storm of ${ACTORS}: all answer again after ${tookMs.toFixed(0)} ms; main's loop delay p50 ${p50}, p99 ${p99}, max ${max} ms; spares at most ${spares.limit}`,
  );
}
