import {
  type ActorRef,
  type ActorSpec,
  dynamicSupervisor,
  type ExitReason,
  type PartitionedSupervisorRef,
  supervisor,
  type ThreadsOptions,
} from "@mini-otp/runtime";
import {
  faults,
  probe,
  runInline,
  startTestSystem,
  type TestSystemOptions,
  virtualClock,
} from "@mini-otp/runtime/testing";
import { defineActor } from "@mini-otp/worker-host";
import { expect, onTestFinished, test, vi } from "vitest";
import type Member from "../light/fixtures/member.actor.js";
import { eventually } from "../support/eventually.js";

vi.setConfig({ testTimeout: 120_000 });

const member = new URL("../light/fixtures/member.actor.js", import.meta.url);

async function lightActors(
  threads: ThreadsOptions,
  template: Partial<ActorSpec>,
  more: object = {},
  options: TestSystemOptions = {},
) {
  const system = await startTestSystem({ intensity: 100, ...options });
  onTestFinished(async () => void (await system.stop({ timeoutMs: 1000 })));
  const light = await system.startChild(dynamicSupervisor({ id: "light", threads, template, ...more }) as never);
  const actors = light as unknown as PartitionedSupervisorRef<any>;
  const start = (id: string, rest: object = {}): Promise<ActorRef<typeof Member>> =>
    actors.startChild({ id, ...rest }) as never;
  const exitOf = (ref: ActorRef) =>
    new Promise<ExitReason>((told) => system.monitor(ref, ({ reason }) => told(reason)));
  return { system, actors, start, exitOf };
}

test("a probe gets what light actors call, cast and send, and answers", async () => {
  const { start } = await lightActors({}, { actor: member });
  const asked = probe({ answers: { price: (item: string) => item.length } });
  const a = await start("a");
  expect(await a.call("forward", asked, "price", "apple")).toBe(5);
  await a.call("castTo", asked, 2);
  expect(await a.call("tryCastTo", asked, { some: ["value"] })).toBe("ok");
  expect([await asked.expect("price"), await asked.expect("note"), await asked.expect("note")]).toEqual([
    { kind: "call", method: "price", args: ["apple"] },
    { kind: "cast", method: "note", args: [0] },
    { kind: "cast", method: "note", args: [1] },
  ]);
  expect((await asked.expect("note")).args).toEqual([{ some: ["value"] }]);
});

test("a light actor monitors a probe, and is linked to one, both ways", async () => {
  const { start, exitOf, system } = await lightActors({}, { actor: member });
  const [watched, partner, other] = [probe(), probe(), probe()];
  const [a, trapping, plain] = [await start("a"), await start("trapping"), await start("plain")];
  await trapping.call("trap", true);
  await a.call("monitor", watched);
  await trapping.call("link", partner);
  await plain.call("link", partner);
  await plain.call("link", other);
  // Main has done what the partition has asked of it.
  await system.getState(a as never);
  const ended = exitOf(plain);
  watched.close();
  partner.close();
  await eventually(async () => (await a.call("told")).length === 1);
  expect(await a.call("told")).toEqual([`DOWN ${watched.id} shutdown`]);
  await eventually(async () => (await trapping.call("told")).length === 1);
  expect(await trapping.call("told")).toEqual([`EXIT ${partner.id} shutdown`]);
  expect(await ended).toEqual({ kind: "shutdown" });
  // That has taken the probe along that it was linked to.
  await eventually(() => other.tryCast("late") === "closed");
  expect(watched.tryCast("late")).toBe("closed");
});

test("an exit signal of a light actor closes a probe", async () => {
  const { start } = await lightActors({}, { actor: member });
  const asked = probe();
  await (await start("a")).call("kill", asked);
  await eventually(() => asked.tryCast("late") === "closed");
});

test("an inline actor works with light actors of a test system", async () => {
  const { start, system } = await lightActors({}, { actor: member });
  const Client = defineActor({
    init: (to: ActorRef<typeof Member>, ctx) => ({ to, monitor: ctx.monitor(to), told: [] as string[] }),
    handlers: {
      echo: (ctx, value: unknown) => ctx.state.to.call("echo", value),
      told: (ctx) => ctx.state.told,
    },
    info: (ctx, { type, reason }: { type: string; reason: { kind: string } }) =>
      void ctx.state.told.push(`${type} ${reason.kind}`),
  });
  const a = await start("a");
  await using client = await runInline(Client, a);
  expect(await client.call("echo", { one: 1 })).toEqual({ one: 1 });
  system.exit(a, { kind: "shutdown", detail: "enough" });
  await eventually(async () => (await client.call("told")).length === 1);
  expect(await client.call("told")).toEqual(["DOWN shutdown"]);
});

test("the restart window of a supervisor with threads goes by a virtual clock, timers of its light actors do not", async () => {
  const clock = virtualClock();
  const more = { intensity: 1, periodMs: 1000 };
  const { system, start, exitOf } = await lightActors({}, { actor: member }, more, { clock });
  let gaveUp = 0;
  system.on("supervisor_escalated", () => gaveUp++);
  const endPartition = async () => {
    const a = await start("a");
    const ended = exitOf(a);
    await a.cast("exit", 3);
    expect(await ended).toMatchObject({ kind: "exit_called" });
  };
  for (let end = 0; end < 3; end++) {
    await endPartition();
    await clock.advance(1001);
  }
  const b = await start("b");
  expect(gaveUp).toBe(0);
  await b.call("later", 1, "by the machine's clock");
  await eventually(async () => (await b.call("notes")).length === 1);
  await endPartition();
  await endPartition();
  await eventually(() => gaveUp === 1);
});

const FAULTS: readonly (readonly [keyof typeof faults, ExitReason["kind"], isAlone: boolean, template: object])[] = [
  ["crash", "error", true, {}],
  ["reject", "error", true, {}],
  ["stall", "unresponsive", true, { handlerTimeoutMs: 300 }],
  ["hang", "unresponsive", false, { handlerTimeoutMs: 300 }],
  ["exit", "exit_called", false, {}],
  ["leak", "heap_cap_exceeded", false, {}],
  ["leakOffHeap", "off_heap_cap_exceeded", false, {}],
];

test.each(FAULTS)("faults.%s ends a light actor with %s; alone: %s", async (name, kind, isAlone, more) => {
  const threads = { heapCapMb: 48, offHeapCapMb: 48 };
  const { actors, exitOf } = await lightActors(threads, { actor: faults[name], ...more });
  const [faulty, neighbour]: ActorRef[] = await actors.startChildren([{ id: "faulty" }, { id: "neighbour" }]);
  expect(await faulty.call("ping")).toBe("pong");
  const ended = exitOf(neighbour);
  const failed = faulty.with({ timeoutMs: 60_000 }).call("fail");
  expect(await failed.catch((e: unknown) => e)).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind } });
  if (isAlone) expect(await neighbour.call("ping")).toBe("pong");
  else expect(await ended).toMatchObject({ kind: "partition_ended", reason: { kind } });
});

test("a fault is in init, or in the first lives only, of a light actor too", async () => {
  const { actors } = await lightActors({}, { actor: faults.crash });
  const codeOf = ({ code }: { code: string }) => code;
  expect(await actors.startChild({ args: { failIn: "init" } }).catch(codeOf)).toBe("ERR_INIT_FAILED");
  const faulty: ActorRef = await actors.startChild({ args: { incarnations: 1 }, restart: "permanent" });
  expect(await faulty.call("fail").catch(codeOf)).toBe("ERR_CALL_EXIT");
  expect([await faulty.call("fail"), await faulty.call("incarnation")]).toEqual(["well", 2]);
});

test("stats are asked of actors: a supervisor, with threads or without, is one clear error", async () => {
  const { system, actors } = await lightActors({}, { actor: member });
  const plain = await system.startChild(supervisor({ id: "plain", children: [] }));
  const dynamic = await system.startChild(dynamicSupervisor({ id: "dynamic" }));
  for (const ref of [actors, plain, dynamic]) {
    const message = expect.stringContaining("was given a supervisor");
    const refused = expect.objectContaining({ code: "ERR_INVALID_OPTION", field: "ref", message });
    expect(() => system.stats(ref as never)).toThrow(refused);
  }
  await actors.startChild({ id: "a" });
  expect(actors.partitions().map(({ members }) => members)).toEqual([1]);
});
