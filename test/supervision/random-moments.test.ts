import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RestartType } from "#runtime/supervision/child.js";
import { type ChildSpec, dynamicSupervisor, supervisor } from "#runtime/supervision/child-spec.js";
import type { Strategy } from "#runtime/supervision/restart-strategy.js";
import type { SupervisorRef } from "#runtime/supervision/supervisor-ref.js";
import { BOOM, FakeTree, worker } from "./fake-tree.js";

type Command =
  | { readonly do: "start"; readonly id: string; readonly restart: RestartType }
  | {
      readonly do: "terminate" | "restart" | "delete" | "let start" | "let fail" | "let stop" | "hang";
      readonly id: string;
    }
  | { readonly do: "exit"; readonly id: string; readonly reason: ExitReason }
  | { readonly do: "fail next starts"; readonly id: string; readonly times: number }
  | { readonly do: "advance"; readonly ms: number };

// Workers under the root, under the supervisor s, and under the dynamic supervisor d.
const aPath = fc.constantFrom("a", "b", "s", "s/x", "s/y", "d", "d/z", "c");
const aRestart = fc.constantFrom<RestartType>("permanent", "transient", "temporary");
const aReason = fc.constantFrom<ExitReason>({ kind: "normal" }, { kind: "shutdown" }, BOOM);
const aStrategy = fc.constantFrom<Strategy>("one_for_one", "one_for_all", "rest_for_one");
const anIntensity = fc.constantFrom(0, 3, 20);

const aCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("start"), id: aPath, restart: aRestart }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("terminate", "restart", "delete"), id: aPath }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("exit"), id: aPath, reason: aReason }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail next starts"), id: aPath, times: fc.constantFrom(1, 3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance"), ms: fc.constantFrom(0, 1, 10, 1_000) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("let start", "let fail", "let stop", "hang"), id: aPath }) },
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

interface Flags {
  readonly strategy: Strategy;
  readonly intensity: number;
}

function specOf(id: string, restart: RestartType, flags: Flags): ChildSpec {
  const shutdown = id === "x" || id === "a" ? "infinity" : 100;
  switch (id) {
    case "s":
      return supervisor({
        id,
        restart,
        ...flags,
        children: [specOf("x", "permanent", flags), specOf("y", "transient", flags)],
      });
    case "d":
      return dynamicSupervisor({ id, restart, intensity: flags.intensity });
    default:
      return worker(id, { restart, shutdown, backoff: { minMs: id === "b" ? 10 : 0 } });
  }
}

/** Does something to a tree without waiting for what comes of it. */
function interrupt(tree: FakeTree, command: Exclude<Command, { do: "advance" }>, flags: Flags, calls: Calls): void {
  const [above, below] = command.id.split("/");
  const ref = below === undefined ? tree.ref : (tree.ref.child(above) as SupervisorRef | undefined);
  const id = below ?? above;
  const path = `root/${command.id}`;
  const child = tree.children.get(path);
  switch (command.do) {
    case "start":
      if (ref !== undefined) calls.push(ref.startChild(specOf(id, command.restart, flags)));
      break;
    case "terminate":
    case "restart":
    case "delete":
      if (ref !== undefined) calls.push(ref[`${command.do}Child`](id));
      break;
    case "exit":
      if (child?.state === "up" || child?.state === "stopping") child.exit(command.reason);
      break;
    case "fail next starts":
      tree.flaky.set(path, command.times);
      break;
    case "hang":
      tree.plans.set(path, "hang");
      if (child !== undefined) child.stopPlan = { afterMs: Infinity };
      break;
    case "let start":
      child?.started();
      break;
    case "let fail":
      child?.failed(BOOM);
      break;
    case "let stop":
      if (child?.state === "stopping") child.exit({ kind: "shutdown" });
  }
}

/** From now on nothing hangs: what is starting starts, what is stopping stops. */
async function release(tree: FakeTree): Promise<void> {
  tree.plans.clear();
  for (let round = 0; round < 50; round++) {
    for (const child of tree.children.values()) {
      child.stopPlan = {};
      child.started();
      if (child.state === "stopping") child.exit({ kind: "shutdown" });
    }
    await tree.clock.advance(10_000);
    const underWay = [...tree.children.values()].filter(({ state }) => state === "starting" || state === "stopping");
    if (underWay.length === 0) return;
  }
}

/** What a supervisor that runs says of its children is what they are, and nothing runs under one that does not. */
function expectTruth(tree: FakeTree, ref: SupervisorRef, runs: boolean): void {
  for (const { id, type, state, ref: child } of ref.whichChildren()) {
    if (type === "supervisor") {
      expectTruth(tree, child as SupervisorRef, state === "running");
      continue;
    }
    const { path, state: inFact } = child as { path: string; state: string };
    expect(`${id} is ${state}`).toBe(`${id} is ${inFact === "up" ? "running" : "stopped"}`);
    if (!runs) expect(`${path} is ${inFact}`).not.toBe(`${path} is up`);
  }
}

test("whatever happens at whatever moment, every call is answered and the tree can be stopped", async () => {
  const steps = fc.array(fc.tuple(aCommand, fc.boolean()), { minLength: 50, maxLength: 50 });
  const someFlags = fc.record({ strategy: aStrategy, intensity: anIntensity });
  const declared = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "s", "b", "d"), aRestart), { selector: ([id]) => id });
  await fc.assert(
    fc.asyncProperty(
      someFlags,
      someFlags,
      declared,
      steps,
      fc.boolean(),
      async (root, nested, first, commands, settleFirst) => {
        const tree = new FakeTree({ ...root, children: first.map(([id, restart]) => specOf(id, restart, nested)) });
        const calls = new Calls();
        calls.push(tree.root.start(1));
        for (const [command, settle] of commands) {
          if (command.do === "advance") await tree.clock.advance(command.ms);
          else interrupt(tree, command, nested, calls);
          if (settle) await tree.settle();
        }
        if (settleFirst) {
          await release(tree);
          expect(calls.answered).toBe(calls.made);
          expectTruth(tree, tree.ref, tree.exitReason === null);
        }
        calls.push(tree.stop({ deadlineAt: tree.clock.now() + 1_000 }));
        await tree.clock.advance(1_000);
        expect(calls.answered).toBe(calls.made);
        expect(tree.clock.pendingTimers).toBe(0);
        tree.root.dispose();
        for (const { path, state } of tree.created) expect(`${path} is ${state}`).toBe(`${path} is disposed`);
      },
    ),
    { numRuns: 1_000 },
  );
});
