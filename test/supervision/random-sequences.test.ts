import type { ExitReason } from "@mini-otp/worker-host/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RestartType } from "#runtime/supervision/child.js";
import type { Strategy } from "#runtime/supervision/restart-strategy.js";
import { BOOM, FakeTree, startTree, worker } from "./fake-tree.js";
import { type ModelOptions, SupervisorModel } from "./model.js";

type Command =
  | { readonly do: "start"; readonly id: string; readonly restart: RestartType }
  | { readonly do: "terminate" | "restart" | "delete"; readonly id: string }
  | { readonly do: "exit"; readonly id: string; readonly reason: ExitReason }
  | { readonly do: "fail next starts"; readonly id: string; readonly times: number }
  | { readonly do: "advance"; readonly ms: number };

const anId = fc.constantFrom("a", "b", "c", "d");
const aRestart = fc.constantFrom<RestartType>("permanent", "transient", "temporary");
const aReason = fc.constantFrom<ExitReason>({ kind: "normal" }, { kind: "shutdown" }, { kind: "killed" }, BOOM);
const anAdvance = fc.constantFrom(0, 1, 99, 100, 1_000);

const aCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("start"), id: anId, restart: aRestart }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("terminate", "restart", "delete"), id: anId }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("exit"), id: anId, reason: aReason }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("fail next starts"), id: anId, times: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance"), ms: anAdvance }) },
);

const someOptions: fc.Arbitrary<ModelOptions> = fc.record({
  strategy: fc.constantFrom<Strategy>("one_for_one", "one_for_all", "rest_for_one"),
  intensity: fc.constantFrom(0, 3, 20),
  periodMs: fc.constantFrom(100, 5_000),
  delayMs: fc.constantFrom(0, 100),
});

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Does one command to the model and to the tree; both must answer the same. */
async function carryOut(command: Command, model: SupervisorModel, tree: FakeTree, delayMs: number): Promise<void> {
  const { ref } = tree;
  switch (command.do) {
    case "start": {
      const { id, restart } = command;
      const backoff = { minMs: delayMs, maxMs: delayMs, factor: 1 };
      expect(await codeOf(ref.startChild(worker(id, { restart, backoff })))).toBe(model.startChild(id, restart));
      break;
    }
    case "terminate":
      expect(await codeOf(ref.terminateChild(command.id))).toBe(model.terminateChild(command.id));
      break;
    case "restart":
      expect(await codeOf(ref.restartChild(command.id))).toBe(model.restartChild(command.id));
      break;
    case "delete":
      expect(await codeOf(ref.deleteChild(command.id))).toBe(model.deleteChild(command.id));
      break;
    case "exit":
      if (!model.isRunning(command.id)) return;
      model.exit(command.id, command.reason);
      await tree.exit(command.id, command.reason);
      break;
    case "fail next starts":
      model.flaky.set(command.id, command.times);
      tree.flaky.set(`root/${command.id}`, command.times);
      break;
    case "advance":
      model.advance(command.ms);
      await tree.clock.advance(command.ms);
  }
}

test("over 1 000 random sequences of 50 commands, a supervisor does what OTP's would", async () => {
  await fc.assert(
    fc.asyncProperty(someOptions, fc.array(aCommand, { minLength: 50, maxLength: 50 }), async (options, commands) => {
      const { strategy, intensity, periodMs, delayMs } = options;
      const model = new SupervisorModel(options);
      const tree = await startTree({ strategy, intensity, periodMs });
      for (const command of commands) {
        await carryOut(command, model, tree, delayMs);
        expect(tree.exitReason !== null).toBe(model.ended);
        if (model.ended) return;
        expect(tree.states()).toEqual(model.states());
      }
      const moves = tree.takeTrace().filter((line) => /^(start|stop) /.test(line));
      expect(moves).toEqual(model.trace);
    }),
    { numRuns: 1_000 },
  );
});

type Interruption =
  | Command
  | { readonly do: "let a start go on" | "let a start fail" | "let a stop end"; readonly id: string }
  | { readonly do: "hang"; readonly id: string };

const anInterruption: fc.Arbitrary<Interruption> = fc.oneof(
  { weight: 3, arbitrary: aCommand },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("let a start go on", "let a start fail", "let a stop end", "hang"),
      id: anId,
    }),
  },
);

/** Calls that have been made, and how many have been answered. */
class Calls {
  made = 0;
  answered = 0;

  push(call: Promise<unknown>): void {
    this.made++;
    const answer = () => void this.answered++;
    call.then(answer, answer);
  }
}

/** Does something to a tree without waiting for what comes of it. */
function interrupt(tree: FakeTree, command: Exclude<Interruption, { do: "advance" }>, calls: Calls): void {
  const { ref } = tree;
  const path = `root/${command.id}`;
  const child = tree.children.get(path);
  switch (command.do) {
    case "start":
      return calls.push(ref.startChild(worker(command.id, { restart: command.restart, backoff: { minMs: 10 } })));
    case "terminate":
      return calls.push(ref.terminateChild(command.id));
    case "restart":
      return calls.push(ref.restartChild(command.id));
    case "delete":
      return calls.push(ref.deleteChild(command.id));
    case "exit":
      if (child?.state === "up" || child?.state === "stopping") child.exit(command.reason);
      return;
    case "fail next starts":
      return void tree.flaky.set(path, command.times);
    case "hang":
      tree.plans.set(path, "hang");
      if (child !== undefined) child.stopPlan = { afterMs: Infinity };
      return;
    case "let a start go on":
      return child?.started();
    case "let a start fail":
      return child?.failed(BOOM);
    case "let a stop end":
      if (child?.state === "stopping") child.exit({ kind: "shutdown" });
  }
}

/** Nothing hangs any more: what is starting starts, what is stopping stops. */
async function release(tree: FakeTree): Promise<void> {
  tree.plans.clear();
  for (const child of tree.children.values()) child.stopPlan = {};
  const isUnderWay = (state: string) => state === "starting" || state === "stopping";
  for (let round = 0; round < 50; round++) {
    if (round > 0 && ![...tree.children.values()].some(({ state }) => isUnderWay(state))) return;
    for (const child of tree.children.values()) {
      child.started();
      if (child.state === "stopping") child.exit({ kind: "shutdown" });
    }
    await tree.clock.advance(10_000);
  }
}

/** What a supervisor says of its children is what they are. */
function expectTruth(tree: FakeTree): void {
  const inFact = { up: "running", down: "stopped", parked: "stopped" } as Record<string, string>;
  expect(tree.states()).toEqual(
    tree.ref
      .whichChildren()
      .toReversed()
      .map(({ id }) => `${id}:${inFact[tree.at(id).state]}`),
  );
  const alive = [...tree.children.values()].filter(({ state }) => state === "up");
  expect(tree.ref.countChildren().active).toBe(alive.length);
}

test("whatever happens at whatever moment, every call is answered and the tree can be stopped", async () => {
  const steps = fc.array(fc.tuple(anInterruption, fc.boolean()), { minLength: 50, maxLength: 50 });
  const declared = fc.uniqueArray(fc.tuple(anId, aRestart), { selector: ([id]) => id });
  await fc.assert(
    fc.asyncProperty(
      someOptions,
      declared,
      steps,
      fc.boolean(),
      async (options, children, commands, stopInTheMiddle) => {
        const { strategy, intensity, periodMs } = options;
        const specs = children.map(([id, restart]) => worker(id, { restart, shutdown: "infinity" }));
        const tree = new FakeTree({ strategy, intensity, periodMs, children: specs });
        const calls = new Calls();
        calls.push(tree.root.start(1));
        for (const [command, settle] of commands) {
          if (command.do === "advance") await tree.clock.advance(command.ms);
          else interrupt(tree, command, calls);
          if (settle) await tree.settle();
        }
        if (!stopInTheMiddle) {
          await release(tree);
          expect(calls.answered).toBe(calls.made);
          expectTruth(tree);
        }
        const deadlineAt = tree.clock.now() + 1_000;
        calls.push(tree.stop({ deadlineAt }));
        await tree.clock.advance(10_000);
        expect(calls.answered).toBe(calls.made);
        for (const { path, state } of tree.children.values()) {
          expect(`${path} is ${state}`).toMatch(/ is (down|parked|disposed)$/);
        }
        tree.root.dispose();
        for (const { path, state } of tree.children.values()) expect(`${path} is ${state}`).toBe(`${path} is disposed`);
      },
    ),
    { numRuns: 1_000 },
  );
});
