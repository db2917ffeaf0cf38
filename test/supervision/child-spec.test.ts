import type { ActorError } from "@mini-otp/worker-host/protocol/errors";
import { describe, expect, test } from "vitest";
import {
  type ChildSpec,
  dynamicSupervisor,
  type FullActorSpec,
  pool,
  resource,
  router,
  type SupervisorSpec,
  supervisor,
} from "#runtime/supervision/child-spec.js";
import { normaliseRoot, normaliseSpec } from "#runtime/supervision/normalise-spec.js";
import { worker } from "./fake-tree.js";

function refusal(spec: unknown, autoShutdown: "never" | "any_significant" = "never"): ActorError {
  try {
    normaliseSpec(spec as ChildSpec, "root", autoShutdown);
  } catch (error) {
    return error as ActorError;
  }
  throw new Error("it should have been refused");
}

const url = new URL("file:///app/hasher.actor.js");
const nested = (...children: ChildSpec[]): SupervisorSpec => supervisor({ id: "s", children });

describe("defaults", () => {
  test("[sup_start_map] an actor needs an id and a module, and gets the rest", () => {
    expect(normaliseSpec({ id: "hasher", actor: url }, "root")).toEqual({
      kind: "actor",
      id: "hasher",
      actor: url,
      restart: "permanent",
      shutdown: 5_000,
      significant: false,
      startTimeoutMs: 10_000,
      heapCapMb: 64,
      offHeapCapMb: 64,
      handlerTimeoutMs: 30_000,
      maxDeliveries: 1,
      isolation: "thread",
      console: "inherit",
      env: "none",
      mailbox: {
        capacity: 1_024,
        capacityBytes: 1_048_576,
        overflow: "block",
        blockTimeoutMs: 10_000,
        onRestart: "keep",
      },
      backoff: { minMs: 0, maxMs: 10_000, factor: 2, jitter: 0, resetAfterMs: 5_000 },
    });
  });

  // Promise: default-3-5-000
  // Promise: supervisor-children-permanent-default
  test("[sup_flags] a supervisor is permanent, one_for_one, allows 3 restarts in 5 seconds, and takes its time to stop", () => {
    expect(normaliseSpec(nested(worker("w")), "root")).toMatchObject({
      kind: "supervisor",
      restart: "permanent",
      shutdown: "infinity",
      strategy: "one_for_one",
      intensity: 3,
      periodMs: 5_000,
      autoShutdown: "never",
      children: [{ kind: "actor", id: "w", shutdown: 5_000 }],
    });
  });

  test("[sup_start_map_simple] a dynamic supervisor has no limit on its children", () => {
    expect(normaliseSpec(dynamicSupervisor({ id: "d" }), "root")).toMatchObject({
      kind: "dynamic_supervisor",
      shutdown: "infinity",
      intensity: 3,
      maxChildren: Infinity,
    });
  });

  test("the root's path is its id, and the children's errors name it", () => {
    expect(normaliseRoot(supervisor({ id: "root" }))).toMatchObject({ id: "root", children: [] });
    expect(() => normaliseRoot(supervisor({ id: "root", children: [worker("w", { restart: "x" as never })] }))).toThrow(
      expect.objectContaining({ id: "root/w", field: "restart" }),
    );
  });

  test("routers, pools and resources are what their builders say", () => {
    const specs = [
      router({ id: "r", actor: url, size: 2, route: "round_robin" }),
      pool({ id: "p", filename: "task.js" }),
      resource({ id: "t", start: () => 1, stop: () => {} }),
    ];
    const full = specs.map((spec) => normaliseSpec(spec, "root"));
    expect(full.map(({ kind, shutdown }) => [kind, shutdown])).toEqual([
      ["router", 5_000],
      ["pool", 5_000],
      ["resource", 5_000],
    ]);
    expect(full[0]).toMatchObject({ mailbox: { capacity: 1_024 }, heapCapMb: 64 });
  });

  test.each([
    [1, 4_096],
    [4_096, 4_096],
    [4_097, 8_192],
    [1_000_000, 1_048_576],
    [2 ** 30, 2 ** 30],
  ])("a mailbox of %d bytes becomes one of %d", (capacityBytes, rounded) => {
    const spec = normaliseSpec(worker("a", { mailbox: { capacityBytes } } as never), "root") as FullActorSpec;
    expect(spec.mailbox.capacityBytes).toBe(rounded);
  });

  test("backoff resets halfway between its shortest and longest delay, unless it says when", () => {
    const backoff = (options: object) => normaliseSpec(worker("a", { backoff: options }), "root").backoff;
    expect(backoff({ minMs: 100, maxMs: 300 }).resetAfterMs).toBe(200);
    expect(backoff({ minMs: 100, maxMs: 300, resetAfterMs: 7 }).resetAfterMs).toBe(7);
    expect(backoff({ minMs: 60_000 })).toMatchObject({ minMs: 60_000, maxMs: 60_000 });
  });

  test("a field that is there but undefined does not hide its default", () => {
    const spec = normaliseSpec({ id: "a", actor: url, shutdown: undefined, mailbox: undefined } as never, "root");
    expect(spec).toMatchObject({ shutdown: 5_000, mailbox: { capacity: 1_024 } });
  });
});

describe("[child_specs] a spec that is wrong", () => {
  test("is refused with the field, its value and what is allowed, in facts and in words", () => {
    const error = refusal(worker("hasher", { restart: "prmanent" as never }));
    expect(error).toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      id: "root/hasher",
      field: "restart",
      value: "prmanent",
      allowed: '"permanent", "transient", "temporary"',
    });
    expect(error.message).toBe(
      'invalid child spec "root/hasher": restart="prmanent", must be "permanent", "transient", "temporary"',
    );
  });

  test.each<[string, object, string]>([
    ["id", { id: "" }, "id"],
    ["id with a slash", { id: "a/b" }, "id"],
    ["id missing", { id: undefined }, "id"],
    ["name", { name: "" }, "name"],
    ["actor missing", { actor: undefined }, "actor"],
    ["actor", { actor: 5 }, "actor"],
    ["restart", { restart: "always" }, "restart"],
    ["shutdown", { shutdown: -10 }, "shutdown"],
    ["shutdown not a number", { shutdown: NaN }, "shutdown"],
    ["shutdown Infinity", { shutdown: Infinity }, "shutdown"],
    ["significant", { significant: "yes" }, "significant"],
    ["startTimeoutMs", { startTimeoutMs: 0 }, "startTimeoutMs"],
    ["heapCapMb", { heapCapMb: 0 }, "heapCapMb"],
    ["offHeapCapMb", { offHeapCapMb: "64" }, "offHeapCapMb"],
    ["handlerTimeoutMs", { handlerTimeoutMs: -1 }, "handlerTimeoutMs"],
    ["maxDeliveries", { maxDeliveries: 0 }, "maxDeliveries"],
    ["maxDeliveries not whole", { maxDeliveries: 1.5 }, "maxDeliveries"],
    ["mailbox", { mailbox: 1_024 }, "mailbox"],
    ["mailbox.capacity", { mailbox: { capacity: 0 } }, "mailbox.capacity"],
    ["mailbox.capacityBytes", { mailbox: { capacityBytes: 2 ** 31 } }, "mailbox.capacityBytes"],
    ["mailbox.overflow", { mailbox: { overflow: "drop" } }, "mailbox.overflow"],
    ["mailbox.blockTimeoutMs", { mailbox: { blockTimeoutMs: -1 } }, "mailbox.blockTimeoutMs"],
    ["mailbox.onRestart", { mailbox: { onRestart: "lose" } }, "mailbox.onRestart"],
    ["backoff", { backoff: [] }, "backoff"],
    ["backoff.minMs", { backoff: { minMs: -1 } }, "backoff.minMs"],
    ["backoff.maxMs below minMs", { backoff: { minMs: 10, maxMs: 5 } }, "backoff.maxMs"],
    ["backoff.factor", { backoff: { factor: 0.5 } }, "backoff.factor"],
    ["backoff.jitter", { backoff: { jitter: 2 } }, "backoff.jitter"],
    ["backoff.resetAfterMs", { backoff: { resetAfterMs: "1s" } }, "backoff.resetAfterMs"],
    ["env", { env: { A: 1 } }, "env"],
    ["env a word", { env: "all" }, "env"],
    ["throws", { throws: "exit" }, "throws"],
    ["callTimeoutMs", { callTimeoutMs: -1 }, "callTimeoutMs"],
    ["execArgv", { execArgv: "--flag" }, "execArgv"],
    ["permissions", { permissions: { fsRead: true } }, "permissions.fsRead"],
    ["a typing error", { heapCapMB: 64 }, "heapCapMB"],
    ["a typing error inside", { mailbox: { capcity: 8 } }, "mailbox.capcity"],
  ])("%s", (_name, change, field) => {
    expect(refusal({ ...worker("a"), ...change })).toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field });
  });

  test.each<[string, ChildSpec, string]>([
    ["strategy", supervisor({ id: "s", strategy: "simple_one_for_one" as never }), "strategy"],
    ["intensity", supervisor({ id: "s", intensity: -1 }), "intensity"],
    ["periodMs", supervisor({ id: "s", periodMs: 0 }), "periodMs"],
    ["autoShutdown", supervisor({ id: "s", autoShutdown: "always" as never }), "autoShutdown"],
    ["children", supervisor({ id: "s", children: {} as never }), "children"],
    ["maxChildren", dynamicSupervisor({ id: "d", maxChildren: -1 }), "maxChildren"],
    ["template", dynamicSupervisor({ id: "d", template: { restart: "x" as never } }), "template.restart"],
    ["throws in a template", dynamicSupervisor({ id: "d", template: { throws: "x" as never } }), "template.throws"],
    ["throws of a pool", pool({ id: "p", filename: "x.js", throws: "reply" } as never), "throws"],
    ["env of a pool", pool({ id: "p", filename: "x.js", env: "all" as never }), "env"],
    ["size", router({ id: "r", actor: url, size: 0, route: "round_robin" }), "size"],
    ["route", router({ id: "r", actor: url, size: 1, route: "random" as never }), "route"],
    ["filename", pool({ id: "p" } as never), "filename"],
    ["maxThreads", pool({ id: "p", filename: "x.js", maxThreads: 0 }), "maxThreads"],
    ["start", resource({ id: "t", stop: () => {} } as never), "start"],
    ["kind", { kind: "actr", id: "a" } as never, "kind"],
  ])("of another kind: %s", (_name, spec, field) => {
    expect(refusal(spec)).toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field });
  });

  test.each(["hej", null, undefined, 5, []])("%o is none at all", (spec) => {
    expect(refusal(spec)).toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", id: "root", field: "", value: spec });
  });

  test("deep down is named by its path", () => {
    expect(refusal(nested(nested(worker("w", { shutdown: "never" as never }))))).toMatchObject({
      id: "root/s/s/w",
      field: "shutdown",
    });
  });

  test("has an id that a sibling has", () => {
    expect(refusal(nested(worker("w"), worker("w")))).toMatchObject({ id: "root/s/w", field: "id" });
  });

  test("[sup_start_map_faulty_specs] has a field that is misspelt, and the error says which was meant", () => {
    expect(refusal(worker("a", { restrat: "transient" } as never)).message).toContain('did you mean "restart"?');
    expect(refusal(worker("a", { handlerTimeout: 5 } as never)).message).toContain('did you mean "handlerTimeoutMs"?');
    expect(refusal(worker("a", { zzzzzz: 5 } as never)).allowed).toMatch(/^kind, id, /);
  });

  // Promise: significant-permanent-under-autoshutdown
  test("asks for significance where it has no meaning", () => {
    const significant = { significant: true } as const;
    expect(refusal(worker("a", significant), "any_significant")).toMatchObject({ field: "significant" });
    expect(refusal(worker("a", { restart: "transient", ...significant }))).toMatchObject({ field: "significant" });
    expect(refusal(nested(worker("a", { restart: "transient", ...significant })))).toMatchObject({ id: "root/s/a" });
    const allowed = worker("a", { restart: "transient", ...significant });
    expect(normaliseSpec(allowed, "root", "any_significant")).toMatchObject(significant);
  });

  test("shows values of every sort without failing over them", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const value of [cycle, 5n, Symbol("s"), () => 1, new Map(), NaN]) {
      expect(refusal(worker("a", { restart: value as never })).message).toContain(": restart=");
    }
  });
});
