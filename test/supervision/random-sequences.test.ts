import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RestartType } from "#runtime/supervision/child.js";
import type { Strategy } from "#runtime/supervision/restart-strategy.js";
import { BOOM, type FakeTree, startTree, worker } from "./fake-tree.js";
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
