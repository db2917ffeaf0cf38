import { describe, expect, test } from "vitest";
import { afterExit } from "#runtime/supervision/restart-strategy.js";
import { Core, coreChild } from "./core.js";
import { startTree, worker } from "./fake-tree.js";
import { cases, REASONS } from "./restart-table.js";

describe("the decision table", () => {
  for (const { name, restart, reason, outcome } of cases()) {
    test(name, () => expect(afterExit(restart, reason)).toBe(outcome));
  }
});

describe("the pure core", () => {
  for (const { name, strategy, restart, reason, moves, left } of cases()) {
    test(name, () => {
      const core = new Core({ strategy }, [
        coreChild("a", "permanent"),
        coreChild("b", restart),
        coreChild("c", "permanent"),
      ]);
      core.send({ kind: "child_exited", id: "b", reason, random: 0 });
      expect(core.moves).toEqual(moves);
      expect(core.state.children.map(({ id, phase }) => `${id}:${phase === "up" ? "running" : "stopped"}`)).toEqual(
        left,
      );
    });
  }
});

describe("a supervisor over fake children", () => {
  for (const { name, strategy, restart, reason, moves, left } of cases()) {
    test(name, async () => {
      const tree = await startTree({ strategy, children: [worker("a"), worker("b", { restart }), worker("c")] });
      await tree.exit("b", reason);
      expect(tree.takeTrace().filter((line) => /^(start|stop) /.test(line))).toEqual(moves);
      expect(tree.states()).toEqual(left);
      expect(tree.exitReason).toBeNull();
    });
  }
});

test("the late answer of a start that was stopped is not taken for that of the next start", () => {
  const core = new Core({}, [coreChild("a", "permanent")]);
  core.state = {
    ...core.state,
    children: core.state.children.map((a) => ({ ...a, phase: "starting", incarnation: 2 })),
  };
  core.send({ kind: "child_failed", id: "a", incarnation: 1, reason: REASONS.error, random: 0 });
  core.send({ kind: "child_started", id: "a", incarnation: 1 });
  expect(core.state.children[0].phase).toBe("starting");
  core.send({ kind: "child_started", id: "a", incarnation: 2 });
  expect(core.state.children[0].phase).toBe("up");
});
