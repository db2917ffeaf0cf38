import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { describe, expect, test } from "vitest";
import { supervisor } from "#runtime/supervision/child-spec.js";
import type { AutoShutdown, Strategy } from "#runtime/supervision/restart-strategy.js";
import { BOOM, startTree, worker } from "./fake-tree.js";

const NORMAL: ExitReason = { kind: "normal" };
const KILLED: ExitReason = { kind: "killed" };
const SHUTDOWN: ExitReason = { kind: "shutdown" };

const transient = (id: string, significant: boolean) => worker(id, { restart: "transient", significant });
const temporary = (id: string, significant: boolean) => worker(id, { restart: "temporary", significant });

describe.each<AutoShutdown>(["never", "any_significant", "all_significant"])(
  "under autoShutdown %s",
  (autoShutdown) => {
    test.each([NORMAL, KILLED, BOOM])(
      "[nonsignificant_temporary] a child that is not significant ends with $kind, and that is all",
      async (reason) => {
        const tree = await startTree({ autoShutdown, children: [temporary("a", false), worker("b")] });
        await tree.exit("a", reason);
        expect(tree.states()).toEqual(["b:running"]);
      },
    );

    test.each([NORMAL, KILLED, BOOM])(
      "[nonsignificant_transient] the same for a transient one ($kind)",
      async (reason) => {
        const tree = await startTree({ autoShutdown, children: [transient("a", false), worker("b")] });
        await tree.exit("a", reason);
        expect(tree.exitReason).toBeNull();
        expect(tree.states()[1]).toBe("b:running");
      },
    );
  },
);

describe.each([
  { type: "temporary", significant: temporary, name: "[significant_temporary]" },
  { type: "transient", significant: transient, name: "[significant_transient]" },
])("significant $type children", ({ significant, type, name }) => {
  const ABC = [significant("a", true), significant("b", true), significant("c", false)];

  test(`${name} one that ends normally takes its supervisor with it under any_significant`, async () => {
    const tree = await startTree({ autoShutdown: "any_significant", children: ABC });
    await tree.exit("a", NORMAL);
    expect(tree.takeTrace().filter((line) => line.startsWith("stop "))).toEqual(["stop c", "stop b"]);
    expect(tree.exitReason).toEqual(SHUTDOWN);
  });

  test.each([KILLED, BOOM])(
    `${name} one that ends with $kind does so exactly if it is not restarted`,
    async (reason) => {
      const tree = await startTree({ autoShutdown: "any_significant", children: ABC });
      await tree.exit("a", reason);
      expect(tree.exitReason).toEqual(type === "temporary" ? SHUTDOWN : null);
    },
  );

  test(`${name} the last one that ends does so under all_significant`, async () => {
    const tree = await startTree({ autoShutdown: "all_significant", children: ABC });
    await tree.exit("a", NORMAL);
    expect(tree.exitReason).toBeNull();
    await tree.exit("b", NORMAL);
    expect(tree.exitReason).toEqual(SHUTDOWN);
  });

  // Promise: terminatechild-stops-never-counts
  test(`${name} one that terminateChild stops does not count`, async () => {
    for (const autoShutdown of ["any_significant", "all_significant"] as const) {
      const tree = await startTree({ autoShutdown, children: ABC });
      await tree.ref.terminateChild("a");
      await tree.ref.terminateChild("b");
      expect(tree.exitReason).toBeNull();
    }
  });

  test(`${name} one that was stopped by hand is not waited for under all_significant`, async () => {
    const tree = await startTree({ autoShutdown: "all_significant", children: ABC });
    await tree.ref.terminateChild("a");
    await tree.exit("b", NORMAL);
    expect(tree.exitReason).toEqual(SHUTDOWN);
  });

  test(`${name} one that is being stopped by hand is not waited for either`, async () => {
    const tree = await startTree({ autoShutdown: "all_significant", children: ABC });
    tree.at("a").stopPlan = { afterMs: 50 };
    const terminated = tree.ref.terminateChild("a");
    await tree.exit("b", NORMAL);
    await tree.clock.advance(50);
    await terminated;
    expect(tree.exitReason).toEqual(SHUTDOWN);
  });
});

test("one that waits for its restart still lives under all_significant", async () => {
  const slow = worker("a", { restart: "transient", significant: true, backoff: { minMs: 100 } });
  const tree = await startTree({ autoShutdown: "all_significant", children: [slow, transient("b", true)] });
  await tree.exit("a", BOOM);
  await tree.exit("b", NORMAL);
  expect(tree.exitReason).toBeNull();
  await tree.clock.advance(100);
  await tree.exit("a", NORMAL);
  expect(tree.exitReason).toEqual(SHUTDOWN);
});

test("one that is in line to be started again still lives under all_significant", async () => {
  const tree = await startTree({
    strategy: "one_for_all",
    autoShutdown: "all_significant",
    children: [worker("a"), transient("b", true), worker("c"), transient("d", true)],
  });
  tree.at("c").starts.push("hang");
  await tree.exit("a", BOOM);
  expect(tree.states()).toEqual(["a:running", "b:running", "c:restarting", "d:restarting"]);
  await tree.exit("b", NORMAL);
  expect(tree.exitReason).toBeNull();
  tree.at("c").started();
  await tree.settle();
  expect(tree.states()).toEqual(["a:running", "b:stopped", "c:running", "d:running"]);
});

const STRATEGIES: Strategy[] = ["one_for_one", "one_for_all", "rest_for_one"];
const POLICIES: AutoShutdown[] = ["any_significant", "all_significant"];
const COMBINATIONS = STRATEGIES.flatMap((strategy) => POLICIES.map((autoShutdown) => ({ strategy, autoShutdown })));

test.each(COMBINATIONS)(
  "[significant_bystander] one that is stopped over a sibling does not count ($strategy, $autoShutdown)",
  async (flags) => {
    const tree = await startTree({
      ...flags,
      children: [transient("a", true), transient("b", false), transient("c", true)],
    });
    await tree.exit("b", KILLED);
    expect(tree.exitReason).toBeNull();
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  },
);

// Promise: terminatechild-stops-never-counts
test("[significant_bystander] a temporary one that is deleted over a sibling does not count", async () => {
  const tree = await startTree({
    strategy: "one_for_all",
    autoShutdown: "all_significant",
    children: [worker("a"), temporary("b", true)],
  });
  await tree.exit("a", BOOM);
  expect(tree.states()).toEqual(["a:running"]);
  expect(tree.exitReason).toBeNull();
});

test.each([true, false])(
  "[significant_escalation] a supervisor that shut down counts for its own if it is significant: %s",
  async (significant) => {
    const nested = supervisor({
      id: "s",
      restart: "transient",
      significant,
      autoShutdown: "any_significant",
      children: [transient("w", true)],
    });
    const tree = await startTree({ autoShutdown: "any_significant", children: [nested, worker("x")] });
    await tree.exit("s/w", NORMAL);
    expect(tree.exitReason).toEqual(significant ? SHUTDOWN : null);
    expect(tree.states()[0]).toBe("s:stopped");
  },
);

test("[significant_escalation] a permanent supervisor that shut down is restarted", async () => {
  const nested = supervisor({ id: "s", autoShutdown: "any_significant", children: [transient("w", true)] });
  const tree = await startTree({ children: [nested] });
  await tree.exit("s/w", NORMAL);
  expect(tree.states()).toEqual(["s:running"]);
  expect(tree.at("s/w").incarnation).toBe(2);
});
