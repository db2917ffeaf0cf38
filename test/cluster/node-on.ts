import { startTestSystem } from "@mini-otp/runtime/testing";
import { onTestFinished } from "vitest";
import { joinBy } from "#cluster/cluster/cluster.js";
import { takeClusterOptions } from "#cluster/cluster/options.js";
import type { MemoryHub } from "#cluster/engine/memory-engine.js";
import { STEADY } from "./steady.js";

/** A node on this hub. Its system ends with the test. */
export async function nodeOn(hub: MemoryHub, node: string, options: object = {}) {
  const system = await startTestSystem();
  onTestFinished(async () => void (await system.stop()));
  const full = takeClusterOptions({ cluster: "test", node, ...STEADY, ...options });
  return { system, cluster: await joinBy(system, hub.connect(node), full) };
}
