import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { describe, expect, it } from "vitest";
import { ofPart } from "../support/part.js";
import { NatsServer } from "./nats-server.js";
import type { NodeProcess } from "./node-process.js";
import { nodeProcesses } from "./node-processes.js";
import { until } from "./until.js";

const real = nodeProcesses();
/** NATS cuts a connection off that takes nothing for 10 s. */
const STANDS_MS = ofPart(1_000, 1_000, 11_000);
/** At least so long; in any case until the lease is lost. */
const AWAY_MS = ofPart(0, 0, 20_000);

/** Nodes a, b, …, each with a worker of its name, connected to each other. */
async function nodes(count: number, options: object = {}): Promise<NodeProcess[]> {
  const names = Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i));
  const all = await Promise.all(names.map((name) => real.join(name, options)));
  await Promise.all(all.map((child, i) => child.do("worker", names[i])));
  for (const child of all) {
    await until("the others", async () => (await child.do("nodes")).length === count - 1);
    for (const name of names) await until("the names", () => child.do("whereis", name));
  }
  return all;
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** For what is asked again; anything else fails the test. */
function noSuchName({ message }: Error): false {
  expect(message).toMatch(/^there is no /);
  return false;
}

describe("three processes over a nats-server", () => {
  it("1, 10. call each other, also by callSync, in order", async () => {
    const [a, b] = await nodes(3);
    expect(await a.do("call", "b", "echo", { from: "a" })).toEqual({ from: "a" });
    await a.do("by", "a", "casts", "b", 0, 20_000);
    await until("all", async () => (await b.do("call", "b", "count")) === 20_000);
    expect(await b.do("call", "b", "noted")).toEqual(numbers(0, 20_000));
    expect(await a.do("by", "a", "callSync", "c", "echo", "sync")).toBe("sync");
  });

  it("27. a node that is killed is gone within 4 s, and its names are free after its lease", async () => {
    const [a, b, c] = await nodes(3, { heartbeatMs: 1000, goneAfterMs: 2000, downAfterMs: 8000 });
    const since = performance.now();
    c.signal("SIGKILL");
    for (const node of [a, b]) await until("the end", async () => (await node.do("events")).includes("down c gone"));
    expect(performance.now() - since).toBeLessThan(4500);
    await until("the name", async () => (await a.do("lookup", "c")) === undefined);
    await a.do("register", "c", "a");
    await until("its new holder", async () => (await b.do("whereis", "c")) === "a:root/a");
  });

  it("27, 51. a node that stops is left at once", async () => {
    const [a, , c] = await nodes(3);
    await c.do("stop");
    await until("the end", async () => (await a.do("events")).includes("down c left"));
    await until("the name", async () => (await a.do("whereis", "c")) === undefined);
    await real.join("c");
    await until("its return", async () => (await a.do("nodes")).length === 2);
  });

  for (const ms of [200, 2000]) {
    it(`3, 46. while NATS is killed and comes back after ${ms} ms nothing is lost and no node is told of`, async () => {
      const [a, b] = await nodes(2, { downAfterMs: 8000, lease: { renewMs: 1000, holdMs: 8000, takeOverMs: 12_000 } });
      const casts = a.do("by", "a", "casts", "b", 0, 40_000);
      await until("some of them", async () => (await b.do("call", "b", "count")) > 1000);
      await real.server.stop();
      await new Promise((resolve) => setTimeout(resolve, ms));
      await real.server.start();
      await casts;
      await until("all", async () => (await b.do("call", "b", "count")) === 40_000);
      expect(await b.do("call", "b", "noted")).toEqual(numbers(0, 40_000));
      expect((await a.do("events")).filter((event: string) => event.includes("b"))).toEqual(["up b"]);
      expect(await b.do("lookup", "a")).toBe("a:root/a");
    });
  }

  it("45. while NATS is away for longer than a lease is held local actors are untouched; on return nodes join again and names are registered again", async () => {
    const [a, b] = await nodes(2);
    await real.server.stop();
    const back = new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    await until("the end", async () => (await a.do("events")).includes("down b silent"));
    await until("the lease", async () => (await a.do("events")).includes("lease_lost expired"));
    await expect(a.do("call", "b", "echo", 1)).rejects.toMatchObject({ code: "ERR_NO_CONNECTION" });
    await back;
    expect(await a.do("local", "a", "echo", "untouched")).toBe("untouched");
    await real.server.start();
    for (const [node, other] of [
      [a, "b"],
      [b, "a"],
    ] as const) {
      await until("its lease", async () => (await node.do("events")).includes("lease_regained"));
      await until("the other", async () => (await node.do("nodes")).length === 1);
      // Between the lease and the name the name is no node's: what is known of the former term may be there until then.
      await until("its name", () => node.do("call", other, "echo", 1).then((echoed) => echoed === 1, noSuchName));
    }
  });

  it("35. a process that stood still finds its lease revoked, and owns nothing until it has another", async () => {
    const [a, b] = await nodes(2);
    b.signal("SIGSTOP");
    await until("the end", async () => (await a.do("events")).some((event: string) => event.startsWith("down b")));
    await until("the name", async () => (await a.do("lookup", "b")) === undefined);
    await a.do("register", "b", "a");
    b.signal("SIGCONT");
    await until("the loss", async () => (await b.do("events")).some((event: string) => event.startsWith("lease_lost")));
    await until("the other's name", async () => (await b.do("whereis", "b")) === "a:root/a");
  });

  it("19. one that stands still costs the others a bounded part of memory, holds up no third, and is not cut off by NATS", async () => {
    const lease = { renewMs: 1000, holdMs: 30_000, takeOverMs: 45_000 };
    const [a, b, c] = await nodes(3, { downAfterMs: 60_000, goneAfterMs: 60_000, lease });
    const receivers = ["b", "b2", "b3"];
    for (const name of receivers.slice(1)) await b.do("worker", name);
    for (const name of receivers) await until("the name", () => a.do("whereis", name));
    b.signal("SIGSTOP");
    const stoppedAt = performance.now();
    const taken = await Promise.all(receivers.map((name) => a.do<number>("fill", name, 16_000)));
    // The link's window and what a frame goes beyond it, and a ring for each.
    const [link, ring] = [2 ** 20 + 256 * 1024, 256 * 1024];
    expect(taken.reduce((sum, count) => sum + count) * 16_000).toBeLessThan(link + receivers.length * ring);
    for (let i = 0; performance.now() - stoppedAt < STANDS_MS; i++) expect(await a.do("call", "c", "echo", i)).toBe(i);
    expect(await c.do("call", "a", "echo", "back")).toBe("back");
    b.signal("SIGCONT");
    for (const [i, name] of receivers.entries()) {
      await until("all", async () => (await a.do("call", name, "count")) === taken[i]);
    }
    expect((await b.do<string[]>("events")).filter((event) => event.startsWith("engine"))).toEqual([]);
    expect((await a.do<string[]>("events")).filter((event) => event.startsWith("down"))).toEqual([]);
  }, 60_000);

  for (const kind of ["deleted", "put back from a backup"] as const) {
    it(`47. a bucket that is ${kind} is lease_lost for all, and a fresh join`, async () => {
      const [a, b] = await nodes(2, { downAfterMs: 8000, lease: { renewMs: 500, holdMs: 8000, takeOverMs: 12_000 } });
      if (kind === "deleted") {
        const admin = await connect({ servers: real.server.url });
        await (await jetstreamManager(admin)).streams.delete("KV_motp-shop");
        await admin.close();
      } else {
        await real.server.stop();
        await real.server.backUpStore();
        await real.server.start();
        // Names and renewals that the backup does not have.
        await until("the return", () =>
          a.do("register", "later", "a").then(
            () => true,
            () => false,
          ),
        );
        await until("both again", async () => (await b.do("lookup", "later")) === "a:root/a");
        await real.server.stop();
        await real.server.restoreStore();
        await real.server.start();
      }
      // Of both: what a node knows of another may be from before the other's loss.
      for (const node of [a, b]) {
        await until("the return", async () => (await node.do("events")).includes("lease_regained"));
      }
      for (const [node, other] of [
        [a, "b"],
        [b, "a"],
      ] as const) {
        const events = await node.do<string[]>("events");
        expect(events.filter((event) => event.startsWith("lease_lost"))).toEqual(["lease_lost bucket"]);
        await until("the other's name", () => node.do("whereis", other));
        expect(await node.do("call", other, "echo", 1)).toBe(1);
      }
    });
  }

  it("28. a node whose main is blocked for less than downAfterMs stays up", async () => {
    const [a, b] = await nodes(2, { downAfterMs: 8000, goneAfterMs: 3000 });
    await b.do("block", 2500);
    expect(await a.do("call", "b", "echo", 1)).toBe(1);
    expect((await a.do("events")).filter((event: string) => event.startsWith("down"))).toEqual([]);
  });

  it("29. the second process of a name is refused as soon as it sees the first's lease renewed", async () => {
    const lease = { renewMs: 500, holdMs: 20_000, takeOverMs: 60_000 };
    await nodes(1, { lease });
    const since = performance.now();
    await expect(real.join("a", { lease })).rejects.toMatchObject({ code: "ERR_NODE_NAME_TAKEN" });
    expect(performance.now() - since).toBeLessThan(lease.holdMs);
  });

  it("refuses replicas on a server before 2.10, and a server that is not there, and says what is needed", async () => {
    await expect(real.join("a", { replicas: 3 })).rejects.toMatchObject({
      code: "ERR_CLUSTER_ENGINE",
      found: expect.stringMatching(/^nats-server 2\./),
      needed: expect.stringContaining("2.10"),
    });
    await expect(real.join("a", { servers: ["nats://127.0.0.1:1"] })).rejects.toMatchObject({
      code: "ERR_CLUSTER_ENGINE",
    });
  });
});

describe("a server without JetStream", () => {
  it("is refused", async () => {
    await using plain = await NatsServer.start("");
    await expect(real.join("a", { servers: [plain.url] })).rejects.toMatchObject({
      code: "ERR_CLUSTER_ENGINE",
      needed: expect.stringContaining("JetStream"),
    });
  });
});
