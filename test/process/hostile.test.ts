import { type ActorSystem, pool } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { everySecond } from "../support/part.js";
import { failureOf, runs } from "../support/processes.js";
import { testSystem } from "../support/system.js";
import type Hostile from "./fixtures/hostile.actor.js";
import { DEEDS, type Deed } from "./fixtures/hostile.js";

const LIMIT_MS = 3_000;

/** What becomes of the process that does it; where nothing is said, the runtime ends it as soon as it sees that. */
const CANNOT_WRITE = { kind: expect.stringMatching(/^(?:error|crashed)$/) };
const ENDS: Partial<Record<Deed, object>> = {
  // An actor's process notices by itself that it cannot write.
  "half a message": CANNOT_WRITE,
  "closed pipe": CANNOT_WRITE,
  stopped: { kind: "unresponsive" },
  "read orders": { kind: "unresponsive" },
  "a child that goes away": { kind: "crashed", signal: "SIGKILL" },
};
const BROKEN = { kind: "error", error: { message: expect.stringContaining("its process") } };

interface Place {
  does(deed: Deed): Promise<unknown>;
  twice(n: number): Promise<unknown>;
  pid(): Promise<number>;
}

async function actorIn(system: ActorSystem): Promise<Place> {
  const actor = new URL("./fixtures/hostile.actor.js", import.meta.url);
  const options = { isolation: "process", handlerTimeoutMs: LIMIT_MS, callTimeoutMs: 50_000 } as const;
  const ref = await system.startChild<typeof Hostile>({ id: "hostile", actor, ...options });
  return { does: (deed) => ref.call("does", deed), twice: (n) => ref.call("twice", n), pid: () => ref.call("pid") };
}

async function poolOf(system: ActorSystem): Promise<Place> {
  const filename = new URL("./fixtures/hostile.js", import.meta.url);
  const ref = await system.startChild(
    pool({ id: "hostile", filename, isolation: "process", maxThreads: 1, taskTimeoutMs: LIMIT_MS }),
  );
  return {
    does: (deed) => ref.run(deed, { name: "does" }),
    twice: (n) => ref.run(n, { name: "twice" }),
    pid: () => ref.run(undefined, { name: "pid" }) as Promise<number>,
  };
}

// Promise: hostile-process
describe.each([
  ["an actor's process", actorIn],
  ["a pool's process", poolOf],
] as const)("%s harms no other, whatever it does to the runtime's pipes:", (what, startIn) => {
  test.each(DEEDS.filter(everySecond(what.startsWith("an actor") ? 0 : 1)))("%s", async (deed) => {
    const system = await testSystem({ intensity: 10 });
    const place = await startIn(system);
    const rssMb = process.memoryUsage.rss() / 2 ** 20;
    const error = (await failureOf(place.does(deed))) as { code: string; reason: object };
    expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: ENDS[deed] ?? BROKEN });
    expect(await place.twice(21)).toBe(42);
    const pid = await place.pid();
    expect(process.memoryUsage.rss() / 2 ** 20 - rssMb).toBeLessThan(400);
    void failureOf(place.does(deed));
    expect(await system.stop({ timeoutMs: 2_000 })).toMatchObject({ reason: { kind: "shutdown" } });
    await eventually(() => !runs(pid));
  });
});
