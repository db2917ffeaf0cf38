import { describe, expect, test } from "vitest";
import { StartGate } from "#runtime/threads/start-gate.js";
import type Counter from "../fixtures/counter.actor.js";
import { fixture, testSystem } from "../support/system.js";

describe("of threads that load their modules", () => {
  const line = (places: number) => {
    const gate = new StartGate(places);
    const started: string[] = [];
    return { started, enter: (name: string) => gate.enter(() => started.push(name)) };
  };

  test("only so many do at once, and the next when one is done, in order", () => {
    const { started, enter } = line(2);
    const turns = ["a", "b", "c", "d"].map(enter);
    expect(started).toEqual(["a", "b"]);
    turns[1].leave();
    expect(started).toEqual(["a", "b", "c"]);
    turns[0].leave();
    expect(started).toEqual(["a", "b", "c", "d"]);
  });

  test("one that leaves before its turn is never started", () => {
    const { started, enter } = line(1);
    const turns = ["a", "b", "c"].map(enter);
    turns[1].leave();
    turns[0].leave();
    expect(started).toEqual(["a", "c"]);
  });

  test("one that leaves twice makes room once", () => {
    const { started, enter } = line(1);
    const turns = ["a", "b", "c"].map(enter);
    turns[0].leave();
    turns[0].leave();
    expect(started).toEqual(["a", "b"]);
  });
});

test("actors whose threads Node refuses fail to start, and say why, however many wait for their turn", async () => {
  const system = await testSystem();
  const starts = Array.from({ length: 8 }, (_, i) =>
    system.startChild({ id: `refused-${i}`, actor: fixture("counter"), execArgv: ["--no-such-flag"] }),
  );
  for (const outcome of await Promise.allSettled(starts)) {
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "ERR_INIT_FAILED" } });
    expect((outcome as PromiseRejectedResult).reason.message).toContain("--no-such-flag");
  }
});

const MANY = 24;

test("many actors started at once all start", async () => {
  const system = await testSystem();
  const refs = await Promise.all(
    Array.from({ length: MANY }, (_, i) =>
      system.startChild<typeof Counter>({ id: `a${i}`, actor: fixture("counter") }),
    ),
  );
  expect(await Promise.all(refs.map((ref) => ref.call("get")))).toEqual(Array(MANY).fill(0));
});

test("an actor whose thread waits for its turn can be terminated, and the others start", async () => {
  const system = await testSystem();
  const starts = Array.from({ length: MANY }, (_, i) =>
    system.startChild<typeof Counter>({ id: `a${i}`, actor: fixture("counter") }),
  );
  const last = starts.pop();
  await Promise.all([
    expect(last).rejects.toMatchObject({ code: "ERR_INIT_FAILED", reason: { kind: "killed" } }),
    system.terminateChild(`a${MANY - 1}`),
  ]);
  await Promise.all(starts);
  expect(system.countChildren()).toMatchObject({ active: MANY - 1 });
});

test("a system that is stopped while threads wait for their turn stops, and every start settles", async () => {
  const system = await testSystem();
  const starts = Array.from({ length: MANY }, (_, i) =>
    system.startChild<typeof Counter>({ id: `a${i}`, actor: fixture("counter") }),
  );
  const settled = Promise.allSettled(starts);
  await system.stop();
  expect(await settled).toHaveLength(MANY);
  expect(system.stats()).toMatchObject({ actors: 0, threads: 0 });
});
