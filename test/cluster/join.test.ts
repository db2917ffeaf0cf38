import { joinCluster, singleton } from "@mini-otp/cluster";
import { startTestSystem } from "@mini-otp/runtime/testing";
import { expect, it } from "vitest";
import type Ledger from "./fixtures/ledger.actor.js";
import { NatsServer } from "./nats-server.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);

it("a system is in one cluster at a time: it joins another when it has left the first", async () => {
  await using server = await NatsServer.start();
  const options = { node: "a", servers: [server.url] };
  const system = await startTestSystem();
  const refused = {
    code: "ERR_INVALID_OPTION",
    function: "joinCluster",
    field: "system",
    message: expect.stringContaining("a system that is in the cluster one"),
  };
  const joining = joinCluster(system, { ...options, cluster: "one" });
  await expect(joinCluster(system, { ...options, cluster: "two" })).rejects.toMatchObject(refused);
  const one = await joining;
  await expect(joinCluster(system, { ...options, cluster: "two" })).rejects.toMatchObject(refused);
  const spec = singleton<typeof Ledger>({ id: "billing", actor: LEDGER, args: { of: "one" } });
  await system.startChild(spec);
  expect(await one.singleton<typeof Ledger>("billing").call("of")).toBe("one");
  await system.terminateChild("billing");
  await system.deleteChild("billing");
  await one.leave();
  await expect(system.startChild(spec)).rejects.toMatchObject({ cause: { code: "ERR_INVALID_CHILD_SPEC" } });
  const two = await joinCluster(system, { ...options, cluster: "two" });
  await system.startChild(spec);
  expect(await two.singleton<typeof Ledger>("billing").call("of")).toBe("one");
  await two.register("billing", (await two.singleton<typeof Ledger>("billing").call("self")) as never);
  await system.stop();
});

it("a system may join when its first try has failed", async () => {
  await using server = await NatsServer.start();
  const system = await startTestSystem();
  const options = { cluster: "one", node: "a" };
  await expect(joinCluster(system, { ...options, servers: ["nats://127.0.0.1:1"] })).rejects.toMatchObject({
    code: "ERR_CLUSTER_ENGINE",
  });
  const cluster = await joinCluster(system, { ...options, servers: [server.url] });
  expect(cluster.self.node).toBe("a");
  await system.stop();
});

it("a second system of one process is refused under a name that runs, in words that are true", async () => {
  await using server = await NatsServer.start();
  const lease = { renewMs: 100, holdMs: 800, takeOverMs: 1500 };
  const options = { cluster: "one", node: "a", servers: [server.url], lease };
  const [first, second] = [await startTestSystem(), await startTestSystem()];
  await joinCluster(first, options);
  await expect(joinCluster(second, options)).rejects.toMatchObject({
    code: "ERR_NODE_NAME_TAKEN",
    message: "joinCluster: node=a: a node of this name is in cluster one, of this process or another",
  });
  await Promise.all([first.stop(), second.stop()]);
});
