import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { expect, test } from "vitest";
import { supervisor } from "#runtime/supervision/child-spec.js";
import type { SupervisionReport } from "#runtime/supervision/report.js";
import { BOOM, FakeTree, startTree, worker } from "./fake-tree.js";

const OFFENDER = { id: "a", type: "worker", restart: "permanent", significant: false, shutdown: 5_000 };
const ABOUT = { id: "root/a", supervisor: "root", offender: OFFENDER };

/** `event id` of the reports since the last call. */
const events = (tree: FakeTree) => tree.reports.splice(0).map(({ event, id }: SupervisionReport) => `${event} ${id}`);

test("every start is one event, also that of a supervisor", async () => {
  const tree = await startTree({ children: [worker("a"), supervisor({ id: "s", children: [worker("w")] })] });
  expect(tree.reports[0]).toEqual({ event: "actor_started", at: 0, incarnation: 1, ...ABOUT });
  expect(events(tree)).toEqual(["actor_started root/a", "actor_started root/s/w", "actor_started root/s"]);
});

test("a crash and the restart it leads to are told with reason, incarnation, attempt and delay", async () => {
  const backoff = { minMs: 100, maxMs: 1_000, jitter: 0 };
  const tree = await startTree({ children: [worker("a", { backoff })] });
  tree.reports.length = 0;
  await tree.clock.advance(50);
  await tree.exit("a", BOOM);
  await tree.clock.advance(100);
  expect(tree.reports).toEqual([
    { event: "actor_exited", at: 50, incarnation: 1, reason: BOOM, context: "child_terminated", ...ABOUT },
    { event: "actor_started", at: 150, incarnation: 2, ...ABOUT },
    { event: "actor_restarted", at: 150, incarnation: 2, attempt: 1, delayMs: 100, reason: BOOM, ...ABOUT },
  ]);
});

test("a start attempt that fails is told with its own reason, and the attempts are counted", async () => {
  const tree = await startTree({ children: [worker("a")] });
  const other: ExitReason = { kind: "init_timeout", afterMs: 10_000 };
  tree.at("a").starts.push(other);
  tree.reports.length = 0;
  await tree.exit("a", BOOM);
  expect(tree.reports.slice(1)).toMatchObject([
    { event: "child_start_failed", incarnation: 2, reason: other, context: "start_error" },
    { event: "actor_started", incarnation: 3 },
    { event: "actor_restarted", incarnation: 3, attempt: 2, delayMs: 0, reason: other },
  ]);
});

test("bystanders that are started again are told so, with the reason of the child that failed", async () => {
  const tree = await startTree({ strategy: "one_for_all", children: [worker("a"), worker("b")] });
  tree.reports.length = 0;
  await tree.exit("a", BOOM);
  expect(tree.reports.find(({ event, id }) => event === "actor_exited" && id === "root/b")).toMatchObject({
    reason: { kind: "shutdown" },
  });
  expect(tree.reported("actor_restarted")).toMatchObject([
    { id: "root/a", reason: BOOM },
    { id: "root/b", reason: BOOM },
  ]);
});

test.each<[string, ExitReason, string | undefined]>([
  ["permanent", { kind: "normal" }, "child_terminated"],
  ["transient", { kind: "normal" }, undefined],
  ["transient", { kind: "shutdown", detail: 1 }, undefined],
  ["transient", BOOM, "child_terminated"],
  ["temporary", { kind: "shutdown" }, undefined],
  ["temporary", BOOM, "child_terminated"],
])("a %s child's exit %o has the context %s, as OTP logs it or not", async (restart, reason, context) => {
  const tree = await startTree({ children: [worker("a", { restart: restart as "permanent" })] });
  await tree.exit("a", reason);
  expect((tree.reported("actor_exited")[0] as { context?: string }).context).toBe(context);
});

test.each<[string, ExitReason, boolean]>([
  ["permanent", { kind: "shutdown" }, false],
  ["permanent", { kind: "normal" }, true],
  ["permanent", { kind: "shutdown", detail: "other" }, true],
  ["transient", { kind: "normal" }, false],
  ["temporary", { kind: "shutdown", detail: "other" }, false],
  ["transient", BOOM, true],
])("a %s child that ends a stop with %o is a shutdown_error: %s", async (restart, reason, isError) => {
  const tree = await startTree({ children: [worker("a", { restart: restart as "permanent" })] });
  tree.at("a").stopPlan = { reason };
  await tree.ref.terminateChild("a");
  const [report] = tree.reported("actor_exited");
  expect(report).toMatchObject({ reason });
  expect("context" in report).toBe(isError);
});

// Promise: stop-clean-reported-succeeds
test("a child that has to be killed is a shutdown_error, unless brutal_kill was what it was to get", async () => {
  const tree = await startTree({ children: [worker("a", { shutdown: 10 }), worker("b", { shutdown: "brutal_kill" })] });
  tree.at("a").stopPlan = { afterMs: Infinity };
  const terminated = [tree.ref.terminateChild("a"), tree.ref.terminateChild("b")];
  await tree.clock.advance(10);
  await Promise.all(terminated);
  const contexts = tree.reported("actor_exited").map((report) => [report.id, "context" in report]);
  expect(contexts).toEqual([
    ["root/b", false],
    ["root/a", true],
  ]);
});

test("a supervisor that gives up says so before it stops its children, and names the offender", async () => {
  const tree = await startTree({
    children: [supervisor({ id: "s", intensity: 0, children: [worker("x"), worker("a")] })],
  });
  tree.reports.length = 0;
  await tree.exit("s/a", BOOM);
  expect(tree.reports[1]).toEqual({
    event: "supervisor_escalated",
    at: 0,
    id: "root/s",
    supervisor: "root/s",
    context: "shutdown",
    reason: { kind: "shutdown", detail: { kind: "reached_max_restart_intensity", id: "root/s/a", reason: BOOM } },
    offender: OFFENDER,
  });
  expect(events(tree)).toEqual([
    ...["actor_exited root/s/a", "supervisor_escalated root/s", "actor_exited root/s/x", "actor_exited root/s"],
    ...["actor_started root/s/x", "actor_started root/s/a", "actor_started root/s", "actor_restarted root/s"],
  ]);
});

test("a failure that is counted comes with what the supervisor still allows, and others do not", async () => {
  const tree = await startTree({
    intensity: 2,
    periodMs: 1_000,
    children: [worker("a"), worker("t", { restart: "temporary" })],
  });
  tree.budgets.length = 0;
  await tree.exit("t", BOOM);
  tree.at("a").starts.push(BOOM);
  await tree.exit("a", BOOM);
  expect(tree.budgets.filter(([event]) => event !== "actor_started" && event !== "actor_restarted")).toEqual([
    ["actor_exited", undefined],
    ["actor_exited", { restartsLeft: 1, periodMs: 1_000 }],
    ["child_start_failed", { restartsLeft: 0, periodMs: 1_000 }],
  ]);
  await tree.clock.advance(1_001);
  await tree.exit("a", BOOM);
  expect(tree.budgets.find(([event, budget]) => event === "actor_exited" && budget?.restartsLeft === 1)).toBeDefined();
  await tree.exit("a", BOOM);
  tree.budgets.length = 0;
  await tree.exit("a", BOOM);
  expect(tree.budgets.slice(0, 2)).toEqual([
    ["actor_exited", { restartsLeft: -1, periodMs: 1_000 }],
    ["supervisor_escalated", undefined],
  ]);
});

test("a failed first start is told once, by the supervisor it happened to", async () => {
  const tree = new FakeTree({ children: [supervisor({ id: "s", children: [worker("w")] })] });
  tree.plans.set("root/s/w", BOOM);
  await tree.root.start(1);
  expect(events(tree)).toEqual(["child_start_failed root/s/w", "child_start_failed root/s"]);
});

test("ignore() is no event: nothing started", async () => {
  const tree = new FakeTree({ children: [worker("a")] });
  tree.plans.set("root/a", "ignore");
  await tree.root.start(1);
  expect(tree.reports).toEqual([]);
});
