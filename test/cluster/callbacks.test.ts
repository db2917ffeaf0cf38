import { joinCluster, singleton } from "@mini-otp/cluster";
import { type ActorRef, type ActorSystem, type Logger, startSystem } from "@mini-otp/runtime";
import { startTestSystem } from "@mini-otp/runtime/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { joinBy } from "#cluster/cluster/cluster.js";
import { takeClusterOptions } from "#cluster/cluster/options.js";
import { MemoryHub } from "#cluster/engine/memory-engine.js";
import type Worker from "./fixtures/worker.actor.js";
import { NatsServer } from "./nats-server.js";
import { STEADY } from "./steady.js";
import { until } from "./until.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
const systems: ActorSystem[] = [];
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);

afterEach(async () => void (await Promise.all(systems.splice(0).map((system) => system.stop()))));

/** A logger whose every method throws, or rejects. */
function failing(): Logger & { readonly calls: () => number } {
  let calls = 0;
  const fail = (): never => {
    calls++;
    throw new Error("the application's logger");
  };
  return { trace: fail, debug: fail, info: fail, warn: fail, error: fail, fatal: fail, calls: () => calls };
}

async function node(hub: MemoryHub, name: string, logger: Logger | false) {
  const system = await startSystem({ logger });
  systems.push(system);
  const full = takeClusterOptions({ cluster: "test", node: name, ...STEADY, heartbeatMs: 50 });
  return { system, cluster: await joinBy(system, hub.connect(name), full) };
}

describe("what the application gives a cluster, and fails", () => {
  it("listeners that throw or reject, with a logger that throws: nothing of the cluster stands still", async () => {
    process.on("unhandledRejection", onUnhandled);
    try {
      const hub = new MemoryHub();
      const logger = failing();
      const a = await node(hub, "a", logger);
      const told: string[] = [];
      for (const event of ["node_up", "node_down", "engine_down", "engine_up", "lease_lost"] as const) {
        a.cluster.on(event, () => {
          throw new Error("a listener");
        });
        a.cluster.on(event, async () => {
          throw new Error("an asynchronous listener");
        });
        a.cluster.on(event, () => void told.push(event));
      }
      a.cluster.group("workers").onChange(() => {
        throw new Error("a listener of a group");
      });
      a.cluster.group("workers").onChange((async () => {
        throw new Error("an asynchronous one");
      }) as () => void);
      a.cluster.group("workers").onChange(({ joined, left }) => void told.push(`+${joined.length} -${left.length}`));
      const b = await node(hub, "b", false);
      await until("the node", () => told.includes("node_up"));
      const there = (await b.system.startChild({ id: "there", actor: WORKER })) as ActorRef<typeof Worker>;
      b.cluster.group("workers").join(there);
      await until("the member", () => told.includes("+1 -0"));
      await b.cluster.register("there", there);
      const far = await until("the name", () => a.cluster.whereis<typeof Worker>("there"));
      hub.setConnected("a", false);
      hub.setConnected("a", true);
      // Refused there, with a line in the log.
      a.system.exit(far, { kind: "shutdown" });
      await expect(far.call("crash")).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
      expect(await far.call("echo", "goes on")).toBe("goes on");
      await until("its end in the group", () => told.includes("+0 -1"));
      await b.system.stop();
      await until("its end", () => told.includes("node_down"));
      expect(told).toEqual(expect.arrayContaining(["engine_down", "engine_up"]));
      expect(logger.calls()).toBeGreaterThan(10);
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", onUnhandled);
    }
  });

  it("values that cannot be carried, and errors with getters that throw, fail only their call", async () => {
    const hub = new MemoryHub();
    const [a, b] = [await node(hub, "a", false), await node(hub, "b", false)];
    const there = (await b.system.startChild({ id: "there", actor: WORKER })) as ActorRef<typeof Worker>;
    await b.cluster.register("there", there);
    const far = await until("the name", () => a.cluster.whereis<typeof Worker>("there"));
    await until("the node", () => a.cluster.nodes().length === 1);
    const throwing = {
      get it(): never {
        throw new Error("a getter");
      },
    };
    for (const value of [throwing, () => {}, Symbol("s"), new WeakMap()]) {
      await expect(far.call("echo", value as never)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    }
    await b.system.startChild(singleton({ id: "one", actor: LEDGER, args: {} }));
    const one = a.cluster.singleton("one");
    await until("that it runs", () => one.call("of").then(() => true));
    await expect(one.call("of", throwing)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    for (const method of ["__proto__", "constructor", "toString"]) {
      await expect(far.call(method as "count")).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
      await expect(one.call(method)).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
    }
    expect(await far.call("echo", 1)).toBe(1);
  });

  it("a logger that throws does not end the connection to NATS", async () => {
    await using server = await NatsServer.start();
    const system = await startTestSystem();
    systems.push(system);
    const warn = vi.spyOn(system.logger, "warn").mockImplementation(() => {
      throw new Error("the application's logger");
    });
    const options = { cluster: "shop", node: "a", servers: [server.url], lease: STEADY.lease };
    const cluster = await joinCluster(system, options);
    const own = (await system.startChild({ id: "own", actor: WORKER })) as ActorRef;
    await cluster.register("own", own);
    await server.stop();
    await until("the loss", () => !cluster.meters.read().isConnected);
    await server.start();
    await until("the return", () => cluster.meters.read().isConnected);
    await until("its name", () => cluster.lookup("own").catch(() => undefined));
    warn.mockRestore();
  });
});
