import { type ActorSpec, dynamicSupervisor, pool, router } from "@mini-otp/runtime";
import { expect, onTestFinished, test } from "vitest";
import { testSystem } from "../support/system.js";
import type Environment from "./fixtures/environment.actor.js";

const actor = new URL("./fixtures/environment.actor.js", import.meta.url);
const COLOR = "MINI_OTP_TEST_COLOR";

/** Sets a variable of main's for the test. */
function set(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

async function start(env?: ActorSpec["env"]) {
  const system = await testSystem({ intensity: 10 });
  const ref = await system.startChild<typeof Environment>({ id: "a", actor, ...(env && { env }) });
  return { system, ref };
}

const NOTHING = [undefined, "none", {}] as const;

// Promise: env-none-inherit-variables
test.each(NOTHING)("an actor with env %j has an empty process.env", async (env) => {
  set(COLOR, "red");
  const { ref } = await start(env);
  expect(await ref.call("names")).toEqual([]);
});

// Promise: env-none-inherit-variables
test("an actor with variables in env has these and no others", async () => {
  set(COLOR, "red");
  const { ref } = await start({ A: "1", B: undefined });
  expect(await ref.call("names")).toEqual(["A"]);
});

// Promise: env-none-inherit-variables
test('an actor with env "inherit" has a copy of main\'s process.env, made at each of its starts', async () => {
  set(COLOR, "red");
  const { ref } = await start("inherit");
  const main = Object.keys(process.env).sort();
  expect(await ref.call("names")).toEqual(main);
  set(COLOR, "green");
  expect(await ref.call("variable", COLOR)).toBe("red");
  await ref.call("set", COLOR, "of the thread");
  expect(process.env[COLOR]).toBe("green");
  // The second restart would take the spare thread that the first had provided.
  for (const color of ["green", "blue", "yellow"]) {
    set(COLOR, color);
    await ref.call("crash").catch(() => {});
    expect(await ref.call("variable", COLOR)).toBe(color);
  }
  expect(await ref.call("incarnation")).toBe(4);
});

test("NODE_OPTIONS with flags that no worker can have do not keep an actor or a pool that inherits from starting", async () => {
  set("NODE_OPTIONS", "--max-old-space-size=4096 --no-warnings");
  const { system, ref } = await start("inherit");
  expect(await ref.call("variable", "NODE_OPTIONS")).toBe("--max-old-space-size=4096 --no-warnings");
  const filename = new URL("../pool/fixtures/work.js", import.meta.url);
  const work = await system.startChild(pool({ id: "work", filename, env: "inherit" }));
  expect(await work.run(21)).toBe(42);
});

test("a router's members, the children of a template and an upgrade's thread inherit too", async () => {
  set(COLOR, "red");
  const { system, ref } = await start("inherit");
  const members = await system.startChild(
    router<typeof Environment>({ id: "router", actor, size: 2, route: "round_robin", env: "inherit" }),
  );
  const dynamic = await system.startChild(dynamicSupervisor({ id: "all", template: { actor, env: "inherit" } }));
  const child = await dynamic.startChild<typeof Environment>({ id: "a" });
  const bare = await dynamic.startChild<typeof Environment>({ id: "b", env: "none" });
  expect(await members.callAll("variable", COLOR)).toMatchObject([{ value: "red" }, { value: "red" }]);
  expect([await child.call("variable", COLOR), await bare.call("names")]).toEqual(["red", []]);
  set(COLOR, "green");
  await system.upgrade(ref, actor);
  expect(await ref.call("variable", COLOR)).toBe("green");
});

test.each(["all", null, 1, ["A"], { A: 1 }])("env: %j is refused, for an actor, a router and a pool", async (value) => {
  const env = value as "none";
  const system = await testSystem();
  const refused = {
    code: "ERR_INVALID_CHILD_SPEC",
    field: "env",
    value,
    allowed: 'an object of texts, or "inherit", "none"',
  };
  await expect(system.startChild({ id: "a", actor, env })).rejects.toMatchObject(refused);
  const members = router({ id: "r", actor, size: 1, route: "round_robin", env });
  await expect(system.startChild(members)).rejects.toMatchObject(refused);
  await expect(system.startChild(pool({ id: "p", filename: actor, env }))).rejects.toMatchObject(refused);
});
