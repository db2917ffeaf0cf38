import {
  type ActorRef,
  type ActorSystem,
  dynamicSupervisor,
  type EventName,
  type SupervisorRef,
  type SystemOptions,
  supervisor,
} from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Ending from "../../fixtures/ending.actor.js";
import type Gate from "../../fixtures/gate.actor.js";
import type Log from "../../fixtures/log.actor.js";
import type Worker from "../../fixtures/worker.actor.js";
import { eventually } from "../../support/eventually.js";
import { fixture, testSystem } from "../../support/system.js";

type EndingRef = ActorRef<typeof Ending>;

const actor = fixture("ending");

/** `id:state` of a supervisor's children, in start order. */
function states(of: Pick<SupervisorRef, "whichChildren">): string[] {
  return of
    .whichChildren()
    .toReversed()
    .map(({ id, state }) => `${id}:${state}`);
}

/** Lines of what the system tells from now on, and a wait for the next event of a kind. */
function listen(system: ActorSystem) {
  const lines: string[] = [];
  const note = (event: EventName, said: string) =>
    system.on(event, ({ id }) => void lines.push(`${said} ${id.replace("root/", "")}`));
  note("actor_started", "started");
  note("actor_exited", "exited");
  note("child_start_failed", "failed");
  note("supervisor_escalated", "escalated");
  return { lines, count: (line: string) => lines.filter((other) => other === line).length };
}

/** The actors a, b and c under one supervisor, and its story since they run. */
async function threeUnder(options: SystemOptions) {
  const children = ["a", "b", "c"].map((id) => ({ id, actor }));
  const system = await testSystem({ children, ...options });
  const incarnations = () =>
    Promise.all(["a", "b", "c"].map((id) => (system.child(id) as EndingRef).call("incarnation")));
  return { system, incarnations, ...listen(system) };
}

describe("a crash of b, between a and c, in threads", () => {
  // Promise: one-for-one-restarts-only-failed
  test("[one_for_one] restarts b alone under one_for_one", async () => {
    const { system, incarnations, lines } = await threeUnder({ strategy: "one_for_one" });
    await (system.child("b") as EndingRef).cast("crash", "boom");
    await eventually(() => lines.includes("started b"));
    expect(lines).toEqual(["exited b", "started b"]);
    expect(await incarnations()).toEqual([1, 2, 1]);
  });

  // Promise: one-for-all-stops-others-reverse
  test("[one_for_all] stops c and a, then starts a, b and c under one_for_all", async () => {
    const { system, incarnations, lines } = await threeUnder({ strategy: "one_for_all" });
    await (system.child("b") as EndingRef).cast("crash", "boom");
    await eventually(() => lines.includes("started c"));
    expect(lines).toEqual(["exited b", "exited c", "exited a", "started a", "started b", "started c"]);
    expect(await incarnations()).toEqual([2, 2, 2]);
  });

  // Promise: rest-for-one-stops-those-failed
  test("[rest_for_one] stops c, then starts b and c under rest_for_one", async () => {
    const { system, incarnations, lines } = await threeUnder({ strategy: "rest_for_one" });
    await (system.child("b") as EndingRef).cast("crash", "boom");
    await eventually(() => lines.includes("started c"));
    expect(lines).toEqual(["exited b", "exited c", "started b", "started c"]);
    expect(await incarnations()).toEqual([1, 2, 2]);
  });
});

describe("escalation, in threads", () => {
  // Promise: over-limit-remaining-children
  test("[one_for_one_escalation] a nested supervisor over its intensity stops its children and is restarted by its own", async () => {
    const system = await testSystem();
    const nested = await system.startChild(
      supervisor({
        id: "s",
        intensity: 1,
        children: [
          { id: "a", actor },
          { id: "b", actor },
        ],
      }),
    );
    const { lines, count } = listen(system);
    const b = nested.child("b") as EndingRef;
    await b.call("crash", "first").catch(() => {});
    expect(await b.call("incarnation")).toBe(2);
    await b.call("crash", "second").catch(() => {});
    await eventually(() => lines.includes("started s"));
    expect(lines.slice(2)).toEqual([
      "exited s/b",
      "escalated s",
      "exited s/a",
      "exited s",
      "started s/a",
      "started s/b",
      "started s",
    ]);
    expect(count("escalated root")).toBe(0);
    expect(await b.call("incarnation")).toBe(3);
  });

  // Promise: root-gives-up-ends
  test("[tree] a root that gives up ends the system, and nothing is left running", async () => {
    const system = await testSystem({ intensity: 0 });
    const nested = await system.startChild(supervisor({ id: "s", intensity: 0, children: [{ id: "a", actor }] }));
    const a = nested.child("a") as EndingRef;
    await a.cast("crash", "boom");
    expect(await system.terminated).toMatchObject({
      kind: "shutdown",
      detail: {
        kind: "reached_max_restart_intensity",
        id: "root/s",
        reason: { kind: "shutdown", detail: { id: "root/s/a", reason: { kind: "error", error: { message: "boom" } } } },
      },
    });
    expect(await a.call("incarnation").catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
  });
});

describe("a dynamic supervisor, in threads", () => {
  const dynamic = (system: ActorSystem, maxChildren = 10) =>
    system.startChild(
      dynamicSupervisor({
        id: "d",
        maxChildren,
        template: { id: "w", actor: fixture("worker"), restart: "transient" },
      }),
    );

  test("[simple_one_for_one] starts children of its template, restarts the one that crashes, forgets the one that ends", async () => {
    const system = await testSystem();
    const d = await system.startChild(
      dynamicSupervisor({ id: "d", template: { id: "w", actor, restart: "transient" } }),
    );
    const one = await d.startChild<typeof Ending>({});
    const two = await d.startChild<typeof Ending>({});
    expect(states(d)).toEqual(["w-1:running", "w-2:running"]);
    await one.call("crash", "boom").catch(() => {});
    expect(await one.call("incarnation")).toBe(2);
    await two.call("stop", { kind: "normal" });
    await eventually(() => d.countChildren().specs === 1);
    expect(states(d)).toEqual(["w-1:running"]);
  });

  // Promise: child-over-maxchildren-err-max-children
  test("refuses one child more than maxChildren with ERR_MAX_CHILDREN", async () => {
    const d = await dynamic(await testSystem(), 1);
    await d.startChild({});
    expect(await d.startChild({}).catch((e: unknown) => e)).toMatchObject({ code: "ERR_MAX_CHILDREN" });
    await d.terminateChild("w-1");
    await d.startChild({});
    expect(d.countChildren()).toMatchObject({ specs: 1, active: 1 });
  });

  // Promise: dynamic-supervisor-stops-children
  test("[simple_one_for_one_shutdown] stops all its children at once", async () => {
    const system = await testSystem();
    const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
    const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
    const d = await dynamic(system);
    for (let i = 0; i < 3; i++) {
      const worker = await d.startChild<typeof Worker>({ args: { log, terminateGate: gate } });
      await worker.call("ready");
    }
    const stopped = system.terminateChild("d");
    // All three stand at the gate in `terminate`: none waits for another.
    await eventually(() => system.stats(gate).mailbox.handled >= 3);
    await gate.cast("open");
    await stopped;
    expect(await log.call("entries")).toEqual(Array(3).fill("terminate shutdown"));
  });
});

describe("significant children, in threads", () => {
  const significant = { restart: "transient", significant: true } as const;

  // Promise: ends-itself-restarted-stops
  test("[significant_transient] one that ends normally takes its supervisor with it under any_significant", async () => {
    const system = await testSystem();
    const s = await system.startChild(
      supervisor({
        id: "s",
        restart: "temporary",
        autoShutdown: "any_significant",
        children: [
          { id: "a", actor },
          { id: "b", actor, ...significant },
        ],
      }),
    );
    const { lines } = listen(system);
    await (s.child("b") as EndingRef).cast("stop", { kind: "normal" });
    await eventually(() => lines.includes("exited s"));
    expect(lines).toEqual(["exited s/b", "exited s/a", "exited s"]);
    expect(system.child("s")).toBeUndefined();
  });

  // Promise: ends-itself-restarted-stops
  test("[significant_transient] the system ends once the last of them has ended under all_significant", async () => {
    const system = await testSystem({
      autoShutdown: "all_significant",
      children: [
        { id: "a", actor },
        { id: "b", actor, ...significant },
        { id: "c", actor, ...significant },
      ],
    });
    const { lines } = listen(system);
    await (system.child("b") as EndingRef).cast("stop", { kind: "normal" });
    await eventually(() => lines.includes("exited b"));
    expect(states(system)).toEqual(["a:running", "b:stopped", "c:running"]);
    await (system.child("c") as EndingRef).cast("stop", { kind: "normal" });
    expect(await system.terminated).toEqual({ kind: "shutdown" });
    expect(lines).toEqual(["exited b", "exited c", "exited a"]);
  });
});

describe("a start, in threads", () => {
  // Promise: ignore-init-means-started
  test("[sup_start_ignore_child] that init answers with ignore() succeeds, and nothing runs", async () => {
    const system = await testSystem({ children: [{ id: "first", actor, args: { ignore: true } }] });
    const ref: EndingRef = await system.startChild<typeof Ending>({ id: "second", actor, args: { ignore: true } });
    await system.startChild({ id: "once", actor, args: { ignore: true }, restart: "temporary" });
    expect(states(system)).toEqual(["first:stopped", "second:stopped"]);
    expect(system.countChildren()).toEqual({ specs: 2, active: 0, supervisors: 0, workers: 2 });
    expect(await ref.call("incarnation").catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
  });

  // Promise: first-start-fails-children
  test("[sup_start_child_returns_error] that fails inside a supervisor stops what had started, and names the child", async () => {
    const system = await testSystem();
    const { lines } = listen(system);
    const start = system.startChild(
      supervisor({
        id: "s",
        children: [
          { id: "a", actor },
          { id: "b", actor, args: { failFrom: 1 } },
          { id: "c", actor },
        ],
      }),
    );
    expect(await start.catch((e: unknown) => e)).toMatchObject({
      code: "ERR_INIT_FAILED",
      id: "root/s/b",
      cause: { message: "init of 1" },
    });
    expect(lines).toEqual(["started s/a", "failed s/b", "exited s/a", "failed s"]);
    expect(system.whichChildren()).toEqual([]);
  });

  // Promise: startchild-fails-caller-s
  test("[sup_start_restart_child_returns_error] that restartChild asked for and that fails keeps the spec", async () => {
    const system = await testSystem({ children: [{ id: "a", actor, args: { failFrom: 2 } }] });
    await system.terminateChild("a");
    const error = await system.restartChild("a").catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "ERR_INIT_FAILED", id: "root/a" });
    expect(states(system)).toEqual(["a:stopped"]);
  });

  // Promise: restart-keeps-failing-child
  test("[hanging_restart_loop] that hangs in a restart leaves administration answered, and terminateChild ends it", async () => {
    const system = await testSystem({
      children: [
        { id: "a", actor, args: { hangFrom: 2 }, startTimeoutMs: 60_000 },
        { id: "b", actor },
      ],
    });
    const { lines } = listen(system);
    await (system.child("a") as EndingRef).cast("crash", "boom");
    await eventually(() => lines.includes("exited a"));
    expect(states(system)).toEqual(["a:restarting", "b:running"]);
    expect(system.countChildren()).toEqual({ specs: 2, active: 1, supervisors: 0, workers: 2 });
    expect(await system.restartChild("a").catch((e: unknown) => e)).toMatchObject({ code: "ERR_RESTARTING" });
    await system.terminateChild("a");
    await system.deleteChild("a");
    expect(states(system)).toEqual(["b:running"]);
  });

  // Promise: failed-start-attempt-during
  test("that is longer than startTimeoutMs in a restart is one failed attempt, and costs one of the intensity", async () => {
    const system = await testSystem({
      intensity: 2,
      periodMs: 60_000,
      children: [{ id: "a", actor, args: { hangFrom: 2 }, startTimeoutMs: 1500 }],
    });
    const { lines } = listen(system);
    await (system.child("a") as EndingRef).cast("crash", "boom");
    expect(await system.terminated).toMatchObject({ detail: { reason: { kind: "init_timeout", afterMs: 1500 } } });
    expect(lines).toEqual(["exited a", "failed a", "failed a", "escalated root"]);
  });
});
