import { type ActorRef, comlinkActor, isActorError } from "@mini-otp/runtime";
import { defineActor } from "@mini-otp/worker-host";
import * as Comlink from "comlink";
import { expect, test } from "vitest";
import type { Counter } from "../fixtures/exposed-counter.js";
import type Gate from "../fixtures/gate.actor.js";
import { runProgram } from "../guard/program.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Gateway from "./fixtures/gateway.actor.js";

const own = (name: string): URL => new URL(`./fixtures/${name}.actor.js`, import.meta.url);
const HALF_PAIR = "\ud800";
const OTHER_HALF = "\udfff";

// Promise: call-method-actor-does
test("200 000 names that no actor has take no memory, and new types start and upgrades work after them", async () => {
  const { output, code } = await runProgram("../../attacks/programs/method-names", { execArgv: ["--expose-gc"] });
  const refused = Object.fromEntries(
    ["call", "cast", "tryCast", "proxy"].flatMap((way) => {
      const count = way === "call" || way === "proxy" ? 25_000 : 0;
      return [
        [`main ${way}`, count],
        [`actor ${way}`, count],
      ];
    }),
  );
  const lines = output.trim().split("\n");
  expect(JSON.parse(lines[0].replace("refused ", ""))).toEqual(refused);
  const [main, actor] = lines.slice(1, 3).map((line) => Number(line.split(": ")[1]));
  // The names alone would be some 22 MiB in each thread. The actor's heap goes up and down by ten, whatever it is sent.
  expect(main).toBeLessThan(4);
  expect(actor).toBeLessThan(18);
  expect(lines.slice(3)).toEqual(["fifty 98", "upgraded later later on"]);
  expect(code).toBe(0);
}, 60_000);

test.each(["", "x".repeat(257), "☃".repeat(86), HALF_PAIR, `a${OTHER_HALF}b`])(
  // Promise: method-s-name-1
  "a call, a cast and a remote's call of what can be no name are refused where they are made: %j",
  async (name) => {
    const system = await testSystem();
    const ref: ActorRef<any> = await system.startChild({ id: "a", actor: own("gateway") });
    const refused = await Promise.allSettled([ref.call(name), ref.cast(name), ref.proxy()[name]()]);
    for (const result of refused) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "ERR_UNKNOWN_METHOD" } });
    }
    expect(() => ref.tryCast(name)).toThrow(/a method's name (has 1 to 256 bytes|is well-formed)/);
    expect(await ref.call("ping")).toBe("pong");
  },
);

test.each(["", "x".repeat(257), HALF_PAIR])(
  // Promise: method-s-name-1
  "a definition with a handler of no possible name is refused: %j",
  (name) => {
    expect(() => defineActor({ handlers: { [name]: () => {} } })).toThrow(TypeError);
  },
);

test("a definition with more names than the table takes has them all, and so has the next", async () => {
  const system = await testSystem({ intensity: 10 });
  const first: ActorRef<any> = await system.startChild({ id: "first", actor: own("many-names") });
  const LONG = "x".repeat(200);
  expect(await first.call(`${LONG}0`)).toBe(0);
  expect(await first.call(`${LONG}5999`)).toBe(5999);
  const fifty: ActorRef<any> = await system.startChild({ id: "fifty", actor: own("fifty") });
  expect(await Promise.all([fifty.call("fifty0", 3), fifty.call("fifty49", 3)])).toEqual([0, 147]);
  const upgraded = await system.startChild<typeof Gateway>({ id: "upgraded", actor: own("gateway") });
  await system.upgrade(upgraded, own("later"));
  expect(await (upgraded as ActorRef<any>).call("onlyLater", "on")).toBe("later on");
});

// Promise: call-method-actor-does
test("a message whose method only the next version has waits for it", async () => {
  const system = await testSystem();
  const ref = await system.startChild<typeof Gateway>({ id: "a", actor: own("gateway") });
  await system.suspend(ref);
  const large = "y".repeat(600_000);
  const waiting = [
    (ref as ActorRef<any>).call("onlyLater", "short"),
    (ref as ActorRef<any>).with({ timeoutMs: 20_000 }).call("onlyLater", large),
  ];
  await system.upgrade(ref, own("later"));
  await system.resume(ref);
  expect(await Promise.all(waiting)).toEqual(["later short", `later ${large}`]);
});

test.each(["drop_oldest", "drop_newest"] as const)(
  "dead letters of a mailbox that drops (%s) have the names that no actor has",
  async (overflow) => {
    const system = await testSystem();
    const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
    const dead: string[] = [];
    system.on("dead_letter", ({ method, why }) => dead.push(`${why} ${method}`));
    const ref: ActorRef<any> = await system.startChild({
      id: "held",
      actor: fixture("mortal"),
      args: {},
      mailbox: { capacity: 4, overflow },
    });
    await ref.cast("hold", gate);
    await gate.call("someone");
    const lost = ref.call("unknown 0", "x".repeat(100)).catch((error: unknown) => error);
    for (let i = 1; i < 8; i++) await ref.cast(`unknown ${i}`, "x".repeat(100));
    await gate.cast("open");
    const first = await lost;
    await eventually(() => dead.length >= 7 && dead.some((letter) => letter.endsWith("unknown 7")));
    const names = dead.map((letter) => letter.slice(letter.indexOf(" ") + 1)).sort();
    const dropped = dead.filter((letter) => letter.startsWith("dropped")).length;
    expect(dropped).toBeGreaterThanOrEqual(3);
    expect(isActorError(first) && first.code).toBe(
      overflow === "drop_oldest" ? "ERR_MAILBOX_FULL" : "ERR_UNKNOWN_METHOD",
    );
    expect(new Set(names)).toEqual(
      new Set(Array.from({ length: 8 }, (_, i) => `unknown ${i}`).filter((name) => dead.some((d) => d.endsWith(name)))),
    );
    expect(names.slice(-1)).toEqual(["unknown 7"]);
  },
);

test("messages that wait when their actor ends are dead letters with their names, whatever their size", async () => {
  const system = await testSystem();
  const ref: ActorRef<any> = await system.startChild({ id: "a", actor: own("gateway"), shutdown: "brutal_kill" });
  const dead: string[] = [];
  system.on("dead_letter", ({ method, why }) => dead.push(`${why} ${method}`));
  await system.suspend(ref);
  await ref.cast("unknown", 1);
  await ref.cast("unknown and large", "y".repeat(600_000));
  await ref.cast("ünknöwn ☃", new Uint8Array(5000));
  await system.terminateChild("a");
  expect(dead).toEqual(["queued unknown", "queued unknown and large", "queued ünknöwn ☃"]);
});

test("stats name the method of an exposed object, which is in no table", async () => {
  const system = await testSystem();
  const actor = comlinkActor<Counter>(new URL("../fixtures/exposed-counter.js", import.meta.url));
  const counter = await system.startChild({ id: "counter", actor });
  let resolve = (): void => {};
  const promise = new Promise<void>((goOn) => {
    resolve = goOn;
  });
  const told = counter.proxy().tell(Comlink.proxy(() => promise) as any);
  await eventually(() => system.stats(counter).handling?.method === "tell");
  resolve();
  await told;
});
