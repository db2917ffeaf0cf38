import { type Cluster, joinCluster } from "@mini-otp/cluster";
import { type ActorRef, type ActorSystem, startSystem } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import { tool } from "../support/tools.js";
import { FaultyProxy } from "./faulty-proxy.js";
import type Worker from "./fixtures/worker.actor.js";
import { NatsServer } from "./nats-server.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
const WINDOW = 256;
const systems: ActorSystem[] = [];

afterEach(async () => {
  await Promise.all(systems.splice(0).map((system) => system.stop()));
});

async function node(name: string, url: string, options: object): Promise<{ system: ActorSystem; cluster: Cluster }> {
  const system = await startSystem({ logger: false });
  systems.push(system);
  const full = { cluster: "shop", servers: [url], window: { messages: WINDOW }, heartbeatMs: 100, ...options };
  return { system, cluster: await joinCluster(system, { ...full, node: name }) };
}

/** What its sender knows of each message, by its number. */
interface Sent {
  readonly accepted: number[];
  readonly refused: number[];
  readonly inDoubt: number[];
  readonly answered: number[];
}

/** Casts and calls with growing numbers, large ones among them, until `isOver`. */
async function send(ref: ActorRef<typeof Worker>, isOver: () => boolean): Promise<Sent> {
  const sent: Sent = { accepted: [], refused: [], inDoubt: [], answered: [] };
  const calls: Promise<void>[] = [];
  const large = "x".repeat(20_000);
  for (let number = 0; !isOver(); number++) {
    if (number % 10 === 0) {
      const call = ref.call("note", number).then(
        () => void sent.answered.push(number),
        ({ code }) => void (code === "ERR_NO_CONNECTION" ? sent.refused : sent.inDoubt).push(number),
      );
      calls.push(call);
      if (calls.length % 10 === 0) await Promise.all(calls);
    } else {
      const value = number % 50 === 7 ? ({ number, large } as unknown) : number;
      await ref.cast("note", value).then(
        () => void sent.accepted.push(number),
        () => void sent.refused.push(number),
      );
    }
    if (number % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(calls);
  return sent;
}

describe("two nodes over a network that delays, cuts in the middle of a frame, and leaves connections half open", () => {
  for (const kind of ["short", "long"] as const) {
    it(`1, 2, 3, 5. ${kind} faults: accepted is handled, a dead letter or in doubt; none is handled twice or out of order`, async () => {
      tool("nats-server");
      await using server = await NatsServer.start();
      await using proxy = await FaultyProxy.start(server.port);
      const options = { downAfterMs: kind === "short" ? 30_000 : 500, goneAfterMs: 30_000 };
      const [a, b] = [await node("a", proxy.url, options), await node("b", server.url, options)];
      const receiver = (await b.system.startChild({ id: "worker", actor: WORKER })) as ActorRef<typeof Worker>;
      await b.cluster.register("worker", receiver);
      const name = await until("the name", () => a.cluster.whereis<typeof Worker>("worker"));
      const ref = name.with({ timeoutMs: 60_000 });
      await until("each other", () => a.cluster.nodes().length + b.cluster.nodes().length === 2);
      let dead = 0;
      a.system.on("dead_letter", ({ why, count = 1 }: { why: string; count?: number }) => {
        if (why === "no_connection") dead += count;
      });
      const ends: string[] = [];
      a.cluster.on("node_down", ({ why }) => ends.push(`a ${why}`));
      b.cluster.on("node_down", ({ why }) => ends.push(`b ${why}`));
      const engine: string[] = [];
      a.cluster.on("engine_down", () => engine.push("down"));
      a.cluster.on("engine_up", () => engine.push("up"));
      const ups = (): number => engine.filter((event) => event === "up").length;
      let over = false;
      const sending = send(ref, () => over);

      proxy.delayMs = 20;
      await until("an answer that is late", () => ref.call("echo", 1));
      proxy.delayMs = 0;
      for (let fault = 1; fault <= 3; fault++) {
        proxy.cutAfter(1000 + fault * 7919);
        await until("the next connection", () => ups() === fault);
      }
      const before = ends.length;
      proxy.isHalfOpen = true;
      if (kind === "long") await until("both ends", () => ends.length >= before + 2);
      else await new Promise((resolve) => setTimeout(resolve, 300));
      proxy.isHalfOpen = false;
      // What it has swallowed is a hole in the protocol of NATS: the connection ends by that, or by this.
      proxy.cut();
      await until("the connection after it", () => ups() >= 4 && a.cluster.nodes().length === 1);
      over = true;
      const { accepted, refused, inDoubt, answered } = await sending;
      // What came before it has been handled, or never will be.
      await until("an answer", () =>
        ref
          .call("echo", 1)
          .then(() => true)
          .catch(() => false),
      );

      const noted = ((await receiver.call("noted")) as (number | { number: number })[]).map((value) =>
        typeof value === "number" ? value : value.number,
      );
      expect(noted, "in order, and none twice").toEqual([...new Set(noted)].sort((one, other) => one - other));
      const handled = new Set(noted);
      expect(refused.filter((number) => handled.has(number))).toEqual([]);
      expect(answered.filter((number) => !handled.has(number))).toEqual([]);
      const lost = accepted.filter((number) => !handled.has(number));
      const losses = ends.filter((end) => end.startsWith("a")).length;
      expect(dead).toBeLessThanOrEqual(lost.length);
      expect(lost.length).toBeLessThanOrEqual(dead + WINDOW * losses);
      expect(handled.size).toBeGreaterThan(100);
      if (kind === "short") expect([lost, refused, inDoubt, dead, ends]).toEqual([[], [], [], 0, []]);
      else expect(losses).toBeGreaterThan(0);
    });
  }
});
