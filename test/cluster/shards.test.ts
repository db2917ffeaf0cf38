import type { Shards } from "@mini-otp/cluster";
import { defineEntity } from "@mini-otp/cluster/actor";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef, ExitReason } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import type Brief from "./fixtures/brief.entity.js";
import type Cart from "./fixtures/cart.entity.js";
import type Forwarder from "./fixtures/forwarder.actor.js";
import { STEADY } from "./steady.js";
import { until } from "./until.js";

const CART = new URL("./fixtures/cart.entity.js", import.meta.url);
const BRIEF = new URL("./fixtures/brief.entity.js", import.meta.url);
const FORWARDER = new URL("./fixtures/forwarder.actor.js", import.meta.url);
let nodes: TestCluster;

afterEach(() => nodes?.[Symbol.asyncDispose]());

function declare(node: string, spec: object = {}): Promise<Shards<typeof Cart>> {
  return nodes
    .node(node)
    .cluster.shards<typeof Cart>({ id: "cart", entity: CART, shards: 4, settleMs: 60_000, ...spec });
}

const patient = (ref: ActorRef<typeof Cart>): ActorRef<typeof Cart> => ref.with({ timeoutMs: 20_000 });
const ids = Array.from({ length: 24 }, (_, i) => `cart-${i}`);

/** Where it is TypeScript, which has no JavaScript beside it. */
const SOURCE = new URL("../../cluster/fixtures/", import.meta.url);

describe("an entity's module", () => {
  it.each(["cart.entity.ts", "cart.entity.js"])("may be TypeScript, as an actor's: %s", async (file) => {
    nodes = await testCluster({ nodes: 1, ...STEADY });
    const carts = await declare("a", { entity: new URL(file, SOURCE), shards: 1 });
    await patient(carts.ref("cart-1")).call("add", "apple");
    expect(await carts.ref("cart-1").call("items")).toEqual(["apple"]);
  });

  it.each<[string, string, string[] | undefined, string]>([
    ["is not there", "nowhere.entity.js", ["nowhere.entity.js", "nowhere.entity.ts"], "tried"],
    ["has no entity", "ledger.actor.ts", undefined, "has no entity as its default export"],
  ])("that %s is refused before there are shards, by one start", async (_, file, tried, message) => {
    nodes = await testCluster({ nodes: 1, ...STEADY });
    const { system, cluster } = nodes.node("a");
    const started: string[] = [];
    system.on("actor_started", ({ id }) => void started.push(id));
    system.on("actor_exited", ({ id }) => void started.push(id));
    const entity = new URL(file, SOURCE);
    const error = await cluster.shards({ id: "cart", entity }).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code: "ERR_ACTOR_MODULE", message: expect.stringContaining(message) });
    if (tried !== undefined) expect(error).toMatchObject({ tried: tried.map((name) => new URL(name, SOURCE).href) });
    expect(started.filter((id) => id !== "root/cluster" && id !== "root/cluster/cart.entity")).toEqual([]);
    // Nothing is left of it.
    const carts = await declare("a", { shards: 1 });
    expect(await patient(carts.ref("cart-1")).call("items")).toEqual([]);
  });
});

describe("an entity", () => {
  it("lives once in the cluster, and every node's reference leads to it", async () => {
    nodes = await testCluster({ nodes: 2 });
    const [a, b] = [await declare("a"), await declare("b")];
    for (const id of ids) await patient(a.ref(id)).call("keep", id);
    for (const id of ids) expect(await patient(b.ref(id)).call("items")).toEqual([id]);
    expect(await a.ref("cart-1").call("id")).toEqual(["cart-1", "cart-1"]);
    expect(a.stats().held + b.stats().held).toBe(4);
  });

  it("has a reference that actors of any node can have, send to and watch", async () => {
    nodes = await testCluster({ nodes: 2 });
    const a = await declare("a");
    // No node of its own: it only sends.
    const forwarder = await nodes.node("b").system.startChild<typeof Forwarder>({ id: "forwarder", actor: FORWARDER });
    await nodes.node("b").cluster.register("forwarder", forwarder);
    const there = await until("the name", () => nodes.node("a").cluster.whereis<typeof Forwarder>("forwarder"));
    await there.call("forward", a.ref("cart-7"), "add", "apple");
    await there.call("tell", a.ref("cart-7"), "a note");
    expect(await a.ref("cart-7").call("items")).toEqual(["apple", ["info", "a note"]]);
    expect(await there.call("sync", a.ref("cart-7"), "id")).toEqual(["cart-7", "cart-7"]);
    const self = (await there.call("forward", a.ref("cart-7"), "self")) as unknown as ActorRef<typeof Cart>;
    expect(await self.call("id")).toEqual(["cart-7", "cart-7"]);
    await there.call("watch", a.ref("cart-7"));
    await a.ref("cart-7").cast("exit");
    await until("its end", async () => ((await there.call("downs")) as unknown[]).length === 1);
    // Its shard is started again, and what it had saved is there.
    expect(await itemsOf(a, "cart-7")).toEqual(["apple"]);
  });

  it("is watched on main, too", async () => {
    nodes = await testCluster({ nodes: 1 });
    const a = await declare("a");
    await a.ref("cart-7").call("id");
    const ended = new Promise<ExitReason>((resolve) =>
      nodes.node("a").system.monitor(a.ref("cart-7"), ({ reason }) => resolve(reason)),
    );
    await a.ref("cart-7").cast("exit");
    expect(await ended).toMatchObject({ kind: "exit_called", code: 3 });
  });

  it("loads after a passivation what it has saved, and nothing else", async () => {
    nodes = await testCluster({ nodes: 1 });
    const cart = (await declare("a")).ref("cart-1");
    await cart.call("add", new Map([["a", new Date(5)]]));
    await cart.call("keep", "unsaved");
    await cart.call("passivate");
    expect(await cart.call("items")).toEqual([new Map([["a", new Date(5)]])]);
  });

  it("without a store has a new state after each life, which ends when it is idle", async () => {
    nodes = await testCluster({ nodes: 1 });
    const brief = await nodes.node("a").cluster.shards<typeof Brief>({ id: "brief", entity: BRIEF, shards: 1 });
    const one = brief.ref("one");
    expect(await one.call("count")).toBe(1);
    expect(await one.call("count")).toBe(2);
    await until("another life", async () => {
      const asked = performance.now();
      await until("that it was idle for longer than its life", () => performance.now() - asked > 60);
      return (await one.call("count")) === 1;
    });
    await expect(one.call("save")).rejects.toMatchObject({ code: "ERR_INVALID_OPTION", field: "store" });
  });

  it("that throws ends its own life, and no other's; a ReplyError fails only the call", async () => {
    nodes = await testCluster({ nodes: 1 });
    const carts = await declare("a", { shards: 1 });
    await carts.ref("one").call("keep", 1);
    await carts.ref("two").call("keep", 2);
    await expect(carts.ref("one").call("refuses")).rejects.toMatchObject({ code: "E_CLOSED" });
    expect(await carts.ref("one").call("items")).toEqual([1]);
    await expect(carts.ref("one").call("throws")).rejects.toMatchObject({ name: "RangeError" });
    expect(await carts.ref("one").call("items")).toEqual([]);
    expect(await carts.ref("two").call("items")).toEqual([2]);
    await expect(carts.ref("refused").call("items")).rejects.toThrow("does not begin");
  });

  it("has any id that is a text of 1 to 256 characters, and no other; an unknown method is refused and begins no life", async () => {
    nodes = await testCluster({ nodes: 2 });
    const [a, b] = [await declare("a"), await declare("b")];
    const odd = ["__proto__", "constructor", "a/b#c.d*>", " ", "💥", "x".repeat(256), "one.61"];
    for (const id of odd) await patient(a.ref(id)).call("add", id);
    for (const id of odd) expect(await patient(b.ref(id)).call("items")).toEqual([id]);
    for (const id of ["", "x".repeat(257), "\ud800", 5, null, undefined, {}]) {
      expect(() => a.ref(id as never)).toThrow(expect.objectContaining({ code: "ERR_INVALID_OPTION" }));
    }
    for (const method of ["nothing", "__proto__", "toString", "constructor"]) {
      await expect(a.ref("cart-1").call(method as "id")).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
    }
  });

  it("saves no state that is too large or that cannot be copied, and says so", async () => {
    nodes = await testCluster({ nodes: 1 });
    const carts = await declare("a");
    await carts.ref("one").call("add", 1);
    await expect(carts.ref("one").call("large")).rejects.toMatchObject({
      code: "ERR_MESSAGE_TOO_LARGE",
      limit: 524_288,
    });
    await expect(carts.ref("one").call("uncloneable")).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(await carts.ref("one").call("items")).toEqual([1]);
  });
});

describe("shards", () => {
  it("39. of a lost owner are served again within takeOverMs + 2 s; in an orderly leave within 1 s", async () => {
    const takeOverMs = 600;
    nodes = await testCluster({ nodes: 3, lease: { renewMs: 50, holdMs: 400, takeOverMs } });
    const few = { shards: 3, settleMs: 0 };
    const a = await declare("a", few);
    const [b, c] = [await declare("b", few), await declare("c", few)];
    await until("an even spread", () => [a, b, c].every((one) => one.stats().held > 0));
    for (const id of ids) await patient(a.ref(id)).call("add", id);
    let since = performance.now();
    await nodes.kill("b");
    const before = await Promise.all(ids.map((id) => itemsOf(a, id)));
    expect(performance.now() - since).toBeLessThan(takeOverMs + 2000);
    expect(before).toEqual(ids.map((id) => [id]));
    const [fewer, more] = a.stats().held < c.stats().held ? ["a", "c"] : ["c", "a"];
    const there = more === "a" ? a : c;
    since = performance.now();
    const leaving = nodes.node(fewer).cluster.leave();
    const served = await Promise.all(ids.slice(0, 8).map((id) => itemsOf(there, id)));
    expect(performance.now() - since).toBeLessThan(1000);
    expect(served).toEqual(ids.slice(0, 8).map((id) => [id]));
    await leaving;
  });

  it("40. move when a node joins: to it only, four at a time, some time after the last change", async () => {
    nodes = await testCluster({ nodes: 3 });
    const a = await declare("a", { shards: 12, settleMs: 0 });
    const b = await declare("b", { shards: 12, settleMs: 0 });
    await until("two halves", () => a.stats().held + b.stats().held === 12 && b.stats().held > 0);
    const owners = () =>
      Promise.all(ids.map(async (id) => (await patient(a.ref(id)).call("token")).join(".") as string));
    const before = await owners();
    const moves: number[] = [];
    const watching = setInterval(() => moves.push(a.stats().moving, b.stats().moving), 1);
    const c = await declare("c", { shards: 12, settleMs: 0 });
    await until("its share", () => c.stats().held > 0 && a.stats().held + b.stats().held + c.stats().held === 12);
    await until("the rest", () => a.stats().moving + b.stats().moving === 0);
    clearInterval(watching);
    const after = await owners();
    const moved = after.filter((token, i) => token !== before[i]).length;
    // What has another token is at the newcomer, and only that.
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(ids.length);
    expect(Math.max(...moves)).toBeLessThanOrEqual(4);
  });

  it("40. do not move while two versions are up; what is free goes to the newest", async () => {
    nodes = await testCluster({ nodes: 1, version: "2026.9" });
    const a = await declare("a", { settleMs: 0 });
    await nodes.start("b", { version: "2026.11" });
    await nodes.connected();
    const b = await declare("b", { settleMs: 0 });
    for (const id of ids) await patient(b.ref(id)).call("add", id);
    expect([a.stats().held, b.stats().held]).toEqual([4, 0]);
    await nodes.stop("a");
    for (const id of ids) expect(await itemsOf(b, id)).toEqual([id]);
    expect(b.stats().held).toBe(4);
  });

  it("41, 52. lose no cast and repeat none while each node is replaced in turn under load, and keep their order", async () => {
    // None is lost on a machine that has much else to do.
    const lease = { renewMs: 500, holdMs: 10_000, takeOverMs: 15_000 };
    nodes = await testCluster({ nodes: 3, lease, downAfterMs: 10_000 });
    const names = ["a", "b", "c"];
    const carts = new Map<string, Shards<typeof Cart>>();
    const spec = { shards: 3, settleMs: 0 };
    for (const name of names) carts.set(name, await declare(name, spec));
    const sent = new Map(names.map((name) => [name, 0]));
    const failed: string[] = [];
    let leaving = "";
    let over = false;
    const loads = names.map(async (name) => {
      while (!over) {
        const shards = leaving === name ? undefined : carts.get(name);
        // Not while it is being replaced.
        if (shards === undefined) {
          await new Promise((resolve) => setImmediate(resolve));
          continue;
        }
        for (let i = 0; i < 5; i++) {
          const number = sent.get(name) ?? 0;
          sent.set(name, number + 1);
          await shards.ref(`of-${name}`).cast("add", number);
        }
        await patient(shards.ref(`of-${name}`))
          .call("id")
          .catch(({ code, reason }) => failed.push(reason === undefined ? code : `${code} ${reason.kind}`));
      }
    });
    for (const [i, name] of names.entries()) {
      const before = sent.get(names[(i + 1) % 3]) ?? 0;
      await until("some load", () => (sent.get(names[(i + 1) % 3]) ?? 0) > before + 20);
      leaving = name;
      if (i === 0) await nodes.node(name).cluster.leave();
      await nodes.stop(name);
      await nodes.start(name);
      await nodes.connected();
      carts.set(name, await declare(name, spec));
      leaving = "";
    }
    over = true;
    await Promise.all(loads);
    expect(failed.filter((code) => !["ERR_NO_CONNECTION", "ERR_NOPROC", "ERR_MAILBOX_FULL"].includes(code))).toEqual(
      [],
    );
    for (const name of names) {
      const items = await patient((carts.get(name) as Shards<typeof Cart>).ref(`of-${name}`)).call("items");
      expect(items).toEqual(Array.from({ length: sent.get(name) ?? 0 }, (_, i) => i));
    }
  });

  it("42. without an owner keep what is sent to their entities, and then refuse it", async () => {
    nodes = await testCluster({ nodes: 2, ...STEADY });
    const a = await declare("a", { on: { role: "none" } });
    const cart = a.ref("cart-1");
    for (let i = 0; i < 100; i++) await cart.cast("keep", i);
    const filled: string[] = [];
    for (let i = 0; i < 2000; i++) filled.push(cart.tryCast("keep", 100 + i));
    expect(filled).toContain("full");
    const kept = 100 + filled.filter((outcome) => outcome === "ok").length;
    const b = await declare("b");
    expect(await patient(b.ref("cart-2")).call("items")).toEqual([]);
    await until("all of them", async () => (await patient(b.ref("cart-1")).call("items")).length === kept);
    expect(await patient(b.ref("cart-1")).call("items")).toEqual(Array.from({ length: kept }, (_, i) => i));
  });

  it("43. save() of a former owner that does not know it yet rejects with ERR_LEASE_LOST and changes nothing", async () => {
    nodes = await testCluster({ nodes: 1, lease: { renewMs: 20_000, holdMs: 60_000, takeOverMs: 90_000 } });
    const a = await declare("a", { shards: 1 });
    const quick = { lease: { renewMs: 50, holdMs: 300, takeOverMs: 600 } };
    await nodes.start("b", quick);
    await nodes.start("c", quick);
    await nodes.connected();
    const cart = a.ref("cart-1");
    await cart.call("add", "first");
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const late = cart.with({ timeoutMs: 60_000 }).call("addWhenOpen", gate, "late");
    await until("that it has begun", () => Atomics.load(gate, 0) === 1);
    const b = await declare("b", { shards: 1 });
    nodes.partition(["a"], ["b", "c"]);
    expect(await itemsOf(b, "cart-1")).toEqual(["first"]);
    await b.ref("cart-1").call("add", "second");
    nodes.heal();
    // By its own clocks it still owns it.
    Atomics.store(gate, 0, 2);
    await expect(late).rejects.toMatchObject({ code: "ERR_LEASE_LOST", name: "cart/cart-1" });
    await b.ref("cart-1").call("passivate");
    expect(await b.ref("cart-1").call("items")).toEqual(["first", "second"]);
  });

  it("34. of a node that does not reach the bucket end before they run elsewhere, and fail to save until then", async () => {
    nodes = await testCluster({ nodes: 3 });
    const a = await declare("a", { shards: 1 });
    const cart = a.ref("cart-1");
    await cart.call("add", "first");
    expect(await cart.call("held")).toBe(true);
    const b = await declare("b", { shards: 1 });
    // It can be reached from its own node, and does not reach the bucket.
    nodes.partition(["a"], ["b", "c"]);
    const refused = await until("a save that is refused", () =>
      cart.call("add", "late").then(
        () => undefined,
        (error: { code: string }) => error,
      ),
    );
    expect(["ERR_CLUSTER_ENGINE", "ERR_LEASE_LOST"]).toContain(refused.code);
    expect(await itemsOf(b, "cart-1")).toEqual(["first"]);
    nodes.heal();
    await until("its new owner here", async () => (await itemsOf(a, "cart-1")).length === 1);
  });

  it("are of one number on all nodes, and declared once on each; what they cannot be is refused by code", async () => {
    nodes = await testCluster({ nodes: 2 });
    await declare("a");
    await expect(declare("a")).rejects.toMatchObject({ code: "ERR_ALREADY_STARTED" });
    await expect(declare("b", { shards: 5 })).rejects.toMatchObject({ code: "ERR_INVALID_OPTION", field: "shards" });
    for (const spec of [
      { shards: 0 },
      { shards: 1.5 },
      { id: "" },
      { entity: "x" },
      { settleMs: -1 },
      { nothing: 1 },
    ]) {
      await expect(declare("b", { id: "other", ...spec })).rejects.toMatchObject({ code: "ERR_INVALID_OPTION" });
    }
    const absent = new URL("./fixtures/absent.entity.js", import.meta.url);
    await expect(declare("b", { id: "absent", entity: absent })).rejects.toMatchObject({ code: "ERR_ACTOR_MODULE" });
    await expect(declare("b", { id: "actor", entity: FORWARDER })).rejects.toMatchObject({ code: "ERR_ACTOR_MODULE" });
    expect(await (await declare("b")).ref("cart-1").call("items")).toEqual([]);
  });
});

describe("defineEntity", () => {
  it("refuses what no entity is", () => {
    const init = (): object => ({});
    const wrong = [
      undefined,
      {},
      { init },
      { init, handlers: { a: 1 } },
      { init, handlers: {}, store: "disk" },
      { init, handlers: {}, passivateAfterMs: 0 },
      { init, handlers: {}, passivateAfterMs: Number.NaN },
      { init, handlers: {}, info: 1 },
      { init, handlers: {}, other: 1 },
    ];
    for (const options of wrong) {
      expect(() => defineEntity(options as never)).toThrow(expect.objectContaining({ code: "ERR_INVALID_OPTION" }));
    }
  });
});

/** A call that was under way to a node that is lost is in doubt, and is made again. */
async function itemsOf(shards: Shards<typeof Cart>, id: string): Promise<unknown[]> {
  return until(`the items of ${id}`, () =>
    patient(shards.ref(id))
      .call("items")
      .catch((error: { code: string }) => {
        if (error.code !== "ERR_CALL_EXIT") throw error;
      }),
  ) as Promise<unknown[]>;
}
