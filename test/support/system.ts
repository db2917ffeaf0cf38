import { type ActorSystem, type SystemOptions, startSystem } from "@mini-otp/runtime";
import { onTestFinished } from "vitest";

/** A silent system that is stopped when the test ends. */
export async function testSystem(options: SystemOptions = {}): Promise<ActorSystem> {
  const system = await startSystem({ logger: false, ...options });
  onTestFinished(async () => {
    // Some tests leave actors behind that never end by themselves.
    await system.stop({ timeoutMs: 200 });
  });
  return system;
}

/** The URL of a fixture's actor module, as built. */
export function fixture(name: string): URL {
  return new URL(`../fixtures/${name}.actor.js`, import.meta.url);
}
