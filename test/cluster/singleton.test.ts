import { singleton } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import { type ActorRef, dynamicSupervisor } from "@mini-otp/runtime";
import { startTestSystem } from "@mini-otp/runtime/testing";
import { afterEach, describe, expect, it } from "vitest";
import type Ledger from "./fixtures/ledger.actor.js";
import { STEADY } from "./steady.js";
import { until } from "./until.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
type Ref = ActorRef<typeof Ledger>;
type Token = readonly [number, number];
let nodes: TestCluster;

afterEach(() => nodes[Symbol.asyncDispose]());

async function declare(node: string, spec: object = {}): Promise<void> {
  const args = { of: node };
  await nodes.node(node).system.startChild(singleton({ id: "billing", actor: LEDGER, args, ...spec }));
}

const billing = (node: string): Ref => nodes.node(node).cluster.singleton<typeof Ledger>("billing");
const grows = (one: Token, other: Token): boolean => other[0] > one[0] || (other[0] === one[0] && other[1] > one[1]);

describe("a singleton", () => {
  it("runs once in the cluster, and every node's reference leads to it", async () => {
    nodes = await testCluster({ nodes: 3, ...STEADY });
    await Promise.all(["a", "b", "c"].map((node) => declare(node)));
    const owners = await Promise.all(["a", "b", "c"].map((node) => billing(node).call("of")));
    expect(new Set(owners).size).toBe(1);
    expect(["a", "b", "c"]).toContain(owners[0]);
    expect(await billing("a").call("id")).toBe("root/cluster/billing");
  });

  it("38. moves only when its owner leaves, never because a node joins; its token grows", async () => {
    nodes = await testCluster({ nodes: 2, ...STEADY });
    await declare("b");
    expect(await billing("b").call("of")).toBe("b");
    const first = (await billing("a").call("token")) as Token;
    await declare("a");
    await nodes.start("c");
    await nodes.connected();
    await declare("c", { on: { role: "backend" } });
    expect(await billing("c").call("token")).toEqual(first);
    await nodes.stop("b");
    expect(await billing("c").call("of")).toBe("a");
    expect(grows(first, (await billing("c").call("token")) as Token)).toBe(true);
  });

  it("38. stays where it is when it crashes, and is started again by its supervisor with a new token", async () => {
    nodes = await testCluster({ nodes: 2, ...STEADY });
    await declare("a");
    expect(await billing("b").call("of")).toBe("a");
    await declare("b");
    const first = (await billing("b").call("token")) as Token;
    await expect(billing("b").call("crash")).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
    expect(await billing("b").call("of")).toBe("a");
    expect(grows(first, (await billing("b").call("token")) as Token)).toBe(true);
  });

  it("has a spec that may be started on several systems of one process: a crash is the affair of one of them", async () => {
    nodes = await testCluster({ nodes: 2, ...STEADY });
    const [a, b] = [nodes.node("a").system, nodes.node("b").system];
    const spec = singleton<typeof Ledger>({ id: "billing", actor: LEDGER, args: {} });
    await a.startChild(spec);
    const first = (await billing("a").call("token")) as Token;
    await b.startChild(spec);
    await expect(billing("b").call("crash")).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
    expect(grows(first, (await billing("b").call("token")) as Token)).toBe(true);
    // It stays on a, and goes to b when a's child is stopped.
    expect(((await billing("b").call("self")) as Ref).id).toBe("a:root/cluster/billing");
    await a.terminateChild("billing");
    expect(((await billing("a").call("self")) as Ref).id).toBe("b:root/cluster/billing");
  });

  it("is declared once by a node: a second child of one id is refused, until the first is stopped", async () => {
    nodes = await testCluster({ nodes: 1, ...STEADY });
    const { system } = nodes.node("a");
    await declare("a");
    expect(await billing("a").call("of")).toBe("a");
    const other = await system.startChild(dynamicSupervisor({ id: "other" }));
    const spec = singleton<typeof Ledger>({ id: "billing", actor: LEDGER, args: { of: "other" } });
    const cause = expect.objectContaining({ code: "ERR_ALREADY_STARTED", id: "billing" });
    await expect(other.startChild(spec)).rejects.toMatchObject({ code: "ERR_INIT_FAILED", cause });
    expect(await billing("a").call("of")).toBe("a");
    await system.terminateChild("billing");
    await other.startChild(spec);
    expect(await billing("a").call("of")).toBe("other");
  });

  it("34, 36. of a node that is cut off ends before it runs on the other side", async () => {
    nodes = await testCluster({ nodes: 3 });
    await declare("a");
    expect(await billing("b").call("of")).toBe("a");
    await declare("b");
    const own = (await billing("a").call("self")) as Ref;
    const first = (await billing("a").call("token")) as Token;
    let endedAt = Infinity;
    nodes.node("a").system.monitor(own, () => {
      endedAt = performance.now();
    });
    nodes.partition(["a"], ["b", "c"]);
    // A call that was under way to the side that is cut off is in doubt, and is made again.
    const token = await until("its new owner", () =>
      billing("c")
        .with({ timeoutMs: 20_000 })
        .call("token")
        .then(
          (found) => found as Token,
          (error) => {
            expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "noconnection" } });
            return undefined;
          },
        ),
    );
    expect(endedAt).toBeLessThan(performance.now());
    expect(grows(first, token)).toBe(true);
    expect(await billing("c").call("of")).toBe("b");
    nodes.heal();
    await nodes.connected();
    expect(await billing("a").with({ timeoutMs: 20_000 }).call("token")).toEqual(token);
  });

  it("a system that runs it stops in order: nothing of it is an error of the stop", async () => {
    nodes = await testCluster({ nodes: 1, ...STEADY });
    await declare("a");
    expect(await billing("a").call("of")).toBe("a");
    const errors: unknown[] = [];
    nodes.node("a").system.on("actor_exited", (event) => {
      if (event.context === "shutdown_error") errors.push(event);
    });
    await nodes.stop("a");
    expect(errors).toEqual([]);
  });

  it("42. what is sent to it while it runs nowhere waits, and is handled in its order", async () => {
    nodes = await testCluster({ nodes: 2, ...STEADY });
    const casts = Array.from({ length: 200 }, (_, i) => billing("a").cast("note", i));
    await Promise.all(casts);
    const noted = billing("a").with({ timeoutMs: 20_000 }).call("noted");
    await declare("b");
    expect(await noted).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it("41. a message that the former owner refuses goes to the new one, in order", async () => {
    nodes = await testCluster({ nodes: 3, ...STEADY });
    await declare("b");
    expect(await billing("a").call("of")).toBe("b");
    await declare("c");
    const stopping = nodes.stop("b");
    const calls = Array.from({ length: 50 }, (_, i) => billing("a").with({ timeoutMs: 20_000 }).call("note", i));
    await stopping;
    await Promise.all(calls);
    expect(await billing("a").call("of")).toBe("c");
    // Those that the former owner has handled it had accepted; the rest came here, and none was passed by another.
    const noted = (await billing("a").call("noted")) as number[];
    expect(noted).toEqual(Array.from({ length: noted.length }, (_, i) => 50 - noted.length + i));
  });

  it.each([
    ["on", "backend"],
    ["on", { role: 1 }],
    ["on", new Map([["role", "backend"]])],
    ["args", "text"],
    ["args", [1]],
    ["args", new Date()],
    ["name", "billing"],
    ["significant", true],
    ["kind", "router"],
    ["id", ""],
    ["restart", "sometimes"],
    ["heapCapMb", -1],
    ["mailbox.capacity", 0, { mailbox: { capacity: 0 } }],
    ["labels", {}],
  ])("whose spec has a wrong %s (%o) is refused where it is written", (field, value, spec?: object) => {
    const wrong = { id: "billing", actor: LEDGER, ...(spec ?? { [field]: value }) };
    expect(() => singleton(wrong as never)).toThrow(expect.objectContaining({ code: "ERR_INVALID_CHILD_SPEC", field }));
  });

  it("a singleton of a system that is in no cluster is refused, and says what comes first", async () => {
    nodes = await testCluster({ nodes: 1 });
    const system = await startTestSystem();
    await expect(system.startChild(singleton({ id: "billing", actor: LEDGER }))).rejects.toMatchObject({
      code: "ERR_INIT_FAILED",
      cause: expect.objectContaining({
        code: "ERR_INVALID_CHILD_SPEC",
        message: expect.stringContaining("joinCluster comes before"),
      }),
    });
    await system.stop();
  });
});
