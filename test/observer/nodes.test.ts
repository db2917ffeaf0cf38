import { remote } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { NodesSource } from "@mini-otp/metrics";
import { type ActorRef, supervisor } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import { STEADY } from "../cluster/steady.js";
import { until } from "../cluster/until.js";
import { findTool, tool } from "../support/tools.js";
import { ask, observe } from "./ask.js";
import { launchBrowser, openPage } from "./browser.js";

const WORKER = new URL("../cluster/fixtures/worker.actor.js", import.meta.url);
let cluster: TestCluster;

afterEach(() => cluster[Symbol.asyncDispose]());

/** Node a with an observer; b shows it its tree, c does not. */
async function observed() {
  cluster = await testCluster({ nodes: 1, ...STEADY });
  await cluster.start("b", { allow: { observe: ["a"] }, version: "2026.11" });
  await cluster.start("c");
  await cluster.connected();
  const { system, cluster: a } = cluster.node("a");
  const { url } = await observe(system, { nodes: a.observed });
  const part = (node: string, from: number | string = 0) => ask(url, `/api/nodes/tree?node=${node}&from=${from}`);
  return { url, system, part, nodes: async () => (await ask(url, "/api/nodes")).json };
}

const aWorker = async (id: string): Promise<ActorRef> =>
  (await cluster.node("b").system.startChild({ id, actor: WORKER })) as ActorRef;

describe("an observer over the nodes of a cluster", () => {
  it("lists them, with this one first, and one that is gone as gone", async () => {
    const { nodes } = await observed();
    expect(await nodes()).toMatchObject([
      { node: "a", isSelf: true, state: "up" },
      { node: "b", isSelf: false, state: "up", version: "2026.11", mainLagMs: expect.any(Number) },
      { node: "c", isSelf: false, state: "up" },
    ]);
    await cluster.stop("c");
    await until("its end", async () => (await nodes()).some((one: any) => one.node === "c" && one.state === "gone"));
    await cluster.start("c");
    await until("its return", async () => (await nodes()).every((one: any) => one.state === "up"));
  });

  it("has the tree of another node as that node has it, with rates between two looks", async () => {
    const { part } = await observed();
    const worker = await aWorker("worker");
    const looked = async () => {
      const { json } = await part("b");
      return json.rows.find(({ id }: { id: string }) => id === "root/worker");
    };
    const first = await until("its row", looked);
    expect(first).toMatchObject({ name: "worker", depth: 1, type: "worker", state: "running", restart: "permanent" });
    expect(first.actor).toMatchObject({ incarnation: 1, handled: 0, handling: null });
    for (let i = 0; i < 100; i++) await worker.cast("note", i);
    await worker.call("count");
    const rate = await until("its rate", async () => (await looked())?.actor.handledPerSecond || undefined);
    // The node looks once a second: to ask more often makes no rate larger.
    expect(rate).toBeLessThanOrEqual(101 / 0.9);
    expect((await looked()).actor.handled).toBe(101);
  });

  it("gives a large tree in parts, each of at most 256 lines", async () => {
    const { part } = await observed();
    const children = Array.from({ length: 300 }, (_, i) => supervisor({ id: `s-${i}`, children: [] }));
    await cluster.node("b").system.startChild(supervisor({ id: "many", children }));
    await until("the look", async () => (await part("b")).json.total > 300);
    const [first, second] = [(await part("b")).json, (await part("b", 256)).json];
    expect([first.rows.length, first.total]).toEqual([256, 302]);
    expect(second.rows.length).toBe(46);
    const ids = [...first.rows, ...second.rows].map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(302);
    expect((await part("b", 302)).json.rows).toEqual([]);
  });

  it("50. shows nothing of a node that does not name this one in allow.observe", async () => {
    const { part } = await observed();
    const { status, json } = await part("c");
    expect([status, json.code]).toEqual([403, "ERR_NOT_ALLOWED"]);
    // Nor does one that starts children there get to see them.
    const spec = remote({ id: "there", offer: "none", on: { node: "c" } });
    await expect(cluster.node("a").system.startChild(spec)).rejects.toBeDefined();
    expect((await part("c")).status).toBe(403);
  });

  it("says why there is no tree: no such node, one that is gone, a line that is no number", async () => {
    const { part } = await observed();
    expect((await part("z")).status).toBe(404);
    expect((await part("b", "x")).status).toBe(400);
    await cluster.kill("b");
    await until("its end", async () => (await part("b")).status === 502);
    expect((await part("b")).json.code).toBe("ERR_NO_CONNECTION");
    const { url } = await observe(cluster.node("a").system);
    expect((await ask(url, "/api/nodes")).json).toEqual([]);
    expect((await ask(url, "/api/nodes/tree?node=a")).status).toBe(404);
  });

  it("takes from a node only what a page has, whatever that node says", async () => {
    cluster = await testCluster({ nodes: 1, ...STEADY });
    await cluster.start("b", { allow: { observe: ["*"] } });
    await cluster.connected();
    const { cluster: a } = cluster.node("a");
    const again = cluster.node("b").system;
    again.tree = () =>
      ({
        id: 7,
        type: "worker",
        state: "running",
        restart: "permanent",
        stats: { mailbox: 3, heapUsedMb: "much", handling: { method: "x".repeat(5000), sinceMs: Number.NaN } },
        secret: "kept",
      }) as never;
    const { rows } = await a.observed.page("b", 0);
    expect(rows[0]).toMatchObject({ id: "", type: "worker", depth: 0 });
    expect(rows[0]).not.toHaveProperty("secret");
    expect(rows[0].stats).toMatchObject({ heapUsedMb: 0, mailbox: { length: 0 }, handling: { sinceMs: 0 } });
    expect(rows[0].stats?.handling?.method.length).toBe(1000);
  });

  it("refuses as nodes what is not those of a cluster", async () => {
    cluster = await testCluster({ nodes: 1, ...STEADY });
    const { system } = cluster.node("a");
    const wrong = { nodes: { list: 1 } as unknown as NodesSource };
    await expect(observe(system, wrong)).rejects.toMatchObject({ code: "ERR_INVALID_OPTION", field: "nodes" });
  });

  it("shows on its page the tree of the node that is chosen, and that it is gone", async () => {
    tool("chromium");
    if (findTool("chromium") === undefined) return;
    await using browser = Object.assign(await launchBrowser(), {
      async [Symbol.asyncDispose](this: Awaited<ReturnType<typeof launchBrowser>>) {
        await this.close();
      },
    });
    const { url } = await observed();
    await aWorker("only-on-b");
    const { page, complaints } = await openPage(browser, url);
    const line = page.locator('tr[data-id="root/only-on-b"]');
    await page.locator("#node-menu option", { hasText: "a (this node)" }).waitFor({ state: "attached" });
    await page.locator("#node-menu").selectOption("b");
    await line.locator(".state", { hasText: "running" }).waitFor();
    await line.click();
    expect(new URL(page.url()).hash.startsWith("#/node/")).toBe(false);
    await page.locator("#node-menu").selectOption("c");
    await page.locator("#node-status", { hasText: "not in allow.observe" }).waitFor();
    await page.locator("#node-menu").selectOption("b");
    await line.waitFor();
    await cluster.kill("b");
    await page.locator("#node-status", { hasText: "b is gone" }).waitFor();
    await line.waitFor({ state: "detached" });
    await page.locator("#node-menu").selectOption("");
    await page.locator("tr[data-id=root]").waitFor();
    // The answer for a node that shows nothing is the browser's complaint, not the page's.
    expect(complaints.filter((complaint) => !/40\d|50\d/.test(String(complaint)))).toEqual([]);
  }, 60_000);
});
