import { expect, test } from "vitest";
import type { Child, StartOutcome, StopOutcome } from "#runtime/supervision/child.js";
import { supervisor } from "#runtime/supervision/child-spec.js";
import { normaliseRoot } from "#runtime/supervision/normalise-spec.js";
import { createRootSupervisor } from "#runtime/supervision/supervision-tree.js";
import { virtualClock } from "#runtime/supervision/virtual-clock.js";

const ACTOR = new URL("file:///none.actor.js");
const raise = (what: string): never => {
  throw new Error(what);
};

/** A tree in which something fails that must not. */
function brokenTree(broken: { report?: boolean; start?: "throws" | "rejects"; stop?: "throws" | "rejects" }) {
  const failures: string[] = [];
  const started: string[] = [];
  const exits: ((reason: { kind: "killed" }) => void)[] = [];
  const fails = (how: "throws" | "rejects", what: string): Promise<never> =>
    how === "throws" ? raise(what) : Promise.reject(new Error(what));
  const root = createRootSupervisor(
    normaliseRoot(supervisor({ id: "root", children: [{ id: "a", actor: ACTOR }] })),
    {
      clock: virtualClock(),
      random: () => 0.5,
      createChild(_spec, path, onExit): Child {
        exits.push(onExit);
        return {
          type: "worker",
          ref: path,
          start(incarnation): Promise<StartOutcome> {
            started.push(`${path} ${incarnation}`);
            return broken.start === undefined || incarnation === 1
              ? Promise.resolve({ kind: "started", ref: path })
              : fails(broken.start, "start");
          },
          stop: ({ reason }): Promise<StopOutcome> =>
            broken.stop === undefined
              ? Promise.resolve({ reason, drained: 0, dropped: 0, killed: false, zombie: false })
              : fails(broken.stop, "stop"),
          dispose() {},
        };
      },
      report: ({ event }) => void (broken.report && raise(event)),
      failed: (id, error) => void failures.push(`${id}: ${(error as Error).message}`),
    },
    () => {},
  );
  return { root, failures, started, crash: () => exits[0]({ kind: "killed" }) };
}

// Promise: supervisor-does-whatever-logger
test("an action that throws keeps the others from nothing, and is told", async () => {
  const { root, failures, started, crash } = brokenTree({ report: true });
  await root.start();
  crash();
  await root.ref.startChild({ id: "b", actor: ACTOR });
  expect(started).toEqual(["root/a 1", "root/a 2", "root/b 1"]);
  const { children } = await root.stop({ reason: { kind: "shutdown" }, shutdown: "infinity", restarting: false });
  expect(children?.map(({ id }) => id)).toEqual(["root/b", "root/a"]);
  expect(failures).toContain("root: actor_exited");
});

test.each(["throws", "rejects"] as const)("a child whose start %s has failed to start", async (start) => {
  const { root, crash } = brokenTree({ start });
  await root.start();
  crash();
  const stopped = root.stop({ reason: { kind: "shutdown" }, shutdown: "infinity", restarting: false });
  expect((await stopped).reason).toEqual({ kind: "shutdown" });
});

test.each(["throws", "rejects"] as const)("a child whose stop %s is not waited for", async (stop) => {
  const { root } = brokenTree({ stop });
  await root.start();
  const { children } = await root.stop({ reason: { kind: "shutdown" }, shutdown: "infinity", restarting: false });
  expect(children).toMatchObject([{ id: "root/a", reason: { kind: "error" } }]);
});
