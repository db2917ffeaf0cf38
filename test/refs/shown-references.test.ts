import { inspect } from "node:util";
import { pool, router } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Careless from "../fixtures/careless.actor.js";
import { fixture, testSystem } from "../support/system.js";

test("a reference to an actor, a router or a pool is shown by its path, in a template and by util.inspect", async () => {
  const system = await testSystem();
  const actor = fixture("careless");
  const single = await system.startChild<typeof Careless>({ id: "single", actor });
  const routed = await system.startChild(
    router<typeof Careless>({ id: "routed", size: 1, route: "consistent_hash", actor }),
  );
  const pooled = await system.startChild(
    pool({ id: "pooled", filename: new URL("../pool/fixtures/work.js", import.meta.url), minThreads: 0 }),
  );
  for (const [ref, shown] of [
    [single, "ActorRef(root/single)"],
    [single.with({ timeoutMs: 1 }), "ActorRef(root/single)"],
    [routed, "RouterRef(root/routed)"],
    [routed.forKey("key"), "RouterRef(root/routed)"],
    [routed.child("0"), "ActorRef(root/routed/0)"],
    [pooled, "PoolRef(root/pooled)"],
  ] as const) {
    expect(`${ref}`).toBe(shown);
    expect(inspect(ref)).toBe(shown);
    expect(inspect({ deep: [ref] })).toBe(`{ deep: [ ${shown} ] }`);
  }
});

test("a single actor answers for every key, so that a router can take its place later", async () => {
  const system = await testSystem();
  const actor = fixture("careless");
  const single = await system.startChild<typeof Careless>({ id: "single", name: "named", actor });
  expect(system.whereis<typeof Careless>("named")?.forKey("any")).toBe(single);
  expect(() => single.forKey({} as never)).toThrow("forKey: key=");
});

test("the numbers of a reference are those of the system, and what is gone has none", async () => {
  const system = await testSystem();
  const single = await system.startChild<typeof Careless>({ id: "single", actor: fixture("careless") });
  expect(single.stats()).toMatchObject({ state: "running", incarnation: 1, mailbox: { length: 0 } });
  await system.terminateChild("single");
  await system.deleteChild("single");
  expect(() => single.stats()).toThrow(expect.objectContaining({ code: "ERR_NOPROC", id: "root/single" }));
});
