import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { describe, expect, test } from "vitest";
import { Monitors, type Signal } from "#runtime/signals/monitors.js";

const NORMAL: ExitReason = { kind: "normal" };
const SHUTDOWN: ExitReason = { kind: "shutdown" };
const KILLED: ExitReason = { kind: "killed" };
const NOPROC: ExitReason = { kind: "noproc" };
const BOOM: ExitReason = { kind: "error", error: new Error("boom") };

function running(...ids: string[]): Monitors {
  const monitors = new Monitors();
  for (const id of ids) monitors.started(id);
  return monitors;
}

/** Carries signals out until none ends any more; which ended, with which reason, and which messages were sent. */
function carryOut(monitors: Monitors, first: readonly Signal[]) {
  const ended: Record<string, ExitReason> = {};
  const messages: Signal[] = [];
  const pending = [...first];
  for (let signal = pending.shift(); signal !== undefined; signal = pending.shift()) {
    if (signal.kind !== "end") messages.push(signal);
    else if (!(signal.to in ended)) {
      ended[signal.to] = signal.reason;
      pending.push(...monitors.ended(signal.to, signal.reason));
    }
  }
  return { ended, messages };
}

describe("a monitor", () => {
  test("[mon_1] sends one DOWN with the exit reason", () => {
    const monitors = running("a", "b");
    const { monitor, signals } = monitors.monitor("a", "b");
    expect(signals).toEqual([]);
    expect(monitors.ended("b", BOOM)).toEqual([{ kind: "down", to: "a", monitor, from: "b", reason: BOOM }]);
    expect(monitors.ended("b", BOOM)).toEqual([]);
  });

  test("also a normal exit is told", () => {
    const monitors = running("a", "b");
    monitors.monitor("a", "b");
    expect(monitors.ended("b", NORMAL)).toMatchObject([{ kind: "down", reason: NORMAL }]);
  });

  test("[mon_1] of one that does not run sends DOWN noproc at once", () => {
    const { monitor, signals } = running("a").monitor("a", "b");
    expect(signals).toEqual([{ kind: "down", to: "a", monitor, from: "b", reason: NOPROC }]);
  });

  test("[process_monitors] is one of several: each sends its own DOWN", () => {
    const monitors = running("a", "b");
    const ids = [monitors.monitor("a", "b"), monitors.monitor("a", "b")].map(({ monitor }) => monitor);
    expect(new Set(ids).size).toBe(2);
    expect(monitors.ended("b", BOOM).map((signal) => signal.kind === "down" && signal.monitor)).toEqual(ids);
  });

  test("[demon_2] that was taken back sends nothing", () => {
    const monitors = running("a", "b");
    const { monitor } = monitors.monitor("a", "b");
    monitors.demonitor("a", monitor);
    expect(monitors.ended("b", BOOM)).toEqual([]);
  });

  test("[demon_e_1] can be taken back by its watcher only", () => {
    const monitors = running("a", "b", "c");
    const { monitor } = monitors.monitor("a", "b");
    monitors.demonitor("c", monitor);
    expect(monitors.ended("b", BOOM)).toHaveLength(1);
  });

  // Promise: monitors-go-way-stack
  test("goes one way: the watcher's end is not told", () => {
    const monitors = running("a", "b");
    monitors.monitor("a", "b");
    expect(monitors.ended("a", BOOM)).toEqual([]);
    expect(monitors.ended("b", BOOM)).toEqual([]);
  });

  test("watches one life: the restarted actor is not watched", () => {
    const monitors = running("a", "b");
    monitors.monitor("a", "b");
    monitors.ended("b", BOOM);
    monitors.started("b");
    expect(monitors.ended("b", BOOM)).toEqual([]);
  });

  test("can be held by somebody who is no actor", () => {
    const monitors = running("b");
    monitors.monitor("main", "b");
    expect(monitors.ended("b", BOOM)).toMatchObject([{ to: "main" }]);
  });

  test("[process_monitors] of oneself says nothing", () => {
    const monitors = running("a");
    monitors.monitor("a", "a");
    expect(monitors.ended("a", BOOM)).toEqual([]);
  });
});

describe("a link", () => {
  test("[links] ends the partner, which names where it began", () => {
    const monitors = running("a", "b");
    monitors.link("a", "b");
    expect(monitors.ended("a", BOOM)).toEqual([
      { kind: "end", to: "b", reason: { kind: "linked", id: "a", reason: BOOM } },
    ]);
  });

  // Promise: link-goes-both-ways
  test("[links] works both ways", () => {
    const monitors = running("a", "b");
    monitors.link("a", "b");
    expect(monitors.ended("b", BOOM)).toMatchObject([{ kind: "end", to: "a" }]);
  });

  // Promise: link-goes-both-ways
  test("[links] made twice is one link, and one unlink undoes it", () => {
    const monitors = running("a", "b");
    monitors.link("a", "b");
    monitors.link("b", "a");
    monitors.unlink("a", "b");
    expect(monitors.ended("a", BOOM)).toEqual([]);
  });

  test("does not carry a normal exit", () => {
    const monitors = running("a", "b");
    monitors.link("a", "b");
    expect(monitors.ended("a", NORMAL)).toEqual([]);
    expect(monitors.ended("b", BOOM)).toEqual([]);
  });

  test("carries a shutdown as it is, so that a transient partner stays down", () => {
    const monitors = running("a", "b");
    monitors.link("a", "b");
    const reason: ExitReason = { kind: "shutdown", detail: "done" };
    expect(monitors.ended("a", reason)).toEqual([{ kind: "end", to: "b", reason }]);
  });

  test("takes a whole chain down, and everyone names the first", () => {
    const monitors = running("a", "b", "c", "d");
    monitors.link("a", "b");
    monitors.link("b", "c");
    const { ended } = carryOut(monitors, [{ kind: "end", to: "a", reason: BOOM }]);
    const linked = { kind: "linked", id: "a", reason: BOOM };
    expect(ended).toEqual({ a: BOOM, b: linked, c: linked });
  });

  test("takes a ring down once", () => {
    const monitors = running("a", "b", "c");
    monitors.link("a", "b");
    monitors.link("b", "c");
    monitors.link("c", "a");
    expect(Object.keys(carryOut(monitors, [{ kind: "end", to: "b", reason: BOOM }]).ended).sort()).toEqual([
      "a",
      "b",
      "c",
    ]);
  });

  test("to one that does not run ends the caller with noproc", () => {
    expect(running("a").link("a", "b")).toEqual([{ kind: "end", to: "a", reason: NOPROC }]);
  });

  test("is told by message to a caller that traps exits", () => {
    const monitors = running("a");
    monitors.trapExit("a", true);
    expect(monitors.link("a", "b")).toEqual([{ kind: "exit_message", to: "a", from: "b", reason: NOPROC }]);
  });

  test("[links] to oneself does nothing", () => {
    const monitors = running("a");
    expect(monitors.link("a", "a")).toEqual([]);
    expect(monitors.ended("a", BOOM)).toEqual([]);
  });

  test("belongs to one life: the restarted actor is not linked", () => {
    const monitors = running("a", "b");
    monitors.link("a", "b");
    monitors.trapExit("b", true);
    expect(monitors.ended("a", BOOM)).toHaveLength(1);
    monitors.started("a");
    expect(monitors.ended("a", BOOM)).toEqual([]);
  });
});

describe("an actor that traps exits", () => {
  test.each([BOOM, SHUTDOWN, NORMAL, KILLED])("[links] gets its partner's exit $kind as a message", (reason) => {
    const monitors = running("a", "b");
    monitors.trapExit("b", true);
    monitors.link("a", "b");
    expect(monitors.ended("a", reason)).toEqual([{ kind: "exit_message", to: "b", from: "a", reason }]);
  });

  test("no longer does once it stops trapping, or is restarted", () => {
    const monitors = running("a", "b", "c");
    monitors.trapExit("b", true);
    monitors.trapExit("b", false);
    monitors.link("a", "b");
    expect(monitors.ended("a", BOOM)).toMatchObject([{ kind: "end", to: "b" }]);
    monitors.trapExit("c", true);
    monitors.ended("c", BOOM);
    monitors.started("c");
    expect(monitors.exit("main", "c", BOOM)).toMatchObject([{ kind: "end", to: "c" }]);
  });
});

describe("an exit signal", () => {
  test("[t_exit_2_other] ends its target with the reason it carries", () => {
    expect(running("a").exit("main", "a", BOOM)).toEqual([{ kind: "end", to: "a", reason: BOOM }]);
  });

  test("[t_exit_2_other_normal] with reason normal is ignored, or a message to one that traps exits", () => {
    const monitors = running("a");
    expect(monitors.exit("main", "a", NORMAL)).toEqual([]);
    monitors.trapExit("a", true);
    expect(monitors.exit("main", "a", NORMAL)).toMatchObject([{ kind: "exit_message", reason: NORMAL }]);
  });

  test("[kill2killed] kill cannot be trapped, becomes killed, and can be trapped as that by the partners", () => {
    const monitors = running("a", "b", "c");
    for (const id of ["a", "b"]) monitors.trapExit(id, true);
    monitors.link("a", "b");
    monitors.link("a", "c");
    const { ended, messages } = carryOut(monitors, monitors.exit("main", "a", "kill"));
    expect(ended).toEqual({ a: KILLED, c: { kind: "linked", id: "a", reason: KILLED } });
    expect(messages).toEqual([{ kind: "exit_message", to: "b", from: "a", reason: KILLED }]);
  });

  test("to one that does not run is void", () => {
    expect(running("a").exit("a", "b", BOOM)).toEqual([]);
  });
});

test("[list_cleanup] nothing is left of actors that have ended", () => {
  const monitors = running("a", "b");
  for (let i = 0; i < 10; i++) {
    monitors.monitor("a", "b");
    monitors.monitor("b", "a");
    monitors.link("a", "b");
    monitors.trapExit("b", true);
    monitors.ended("b", BOOM);
    monitors.started("b");
  }
  monitors.ended("a", BOOM);
  monitors.ended("b", BOOM);
  expect(monitors.size).toBe(0);
});
