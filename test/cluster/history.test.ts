import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef } from "@mini-otp/runtime";
import { describe, expect, it } from "vitest";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
type Ref = ActorRef<typeof Worker>;

/** xorshift: the same faults for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly ref: Ref;
  readonly receiver: Ref;
  readonly accepted: number[];
  readonly refused: number[];
  readonly inDoubt: number[];
  calls: number;
}

/** A worker on each node, and every node's reference to each other's. */
async function pairsOf(nodes: TestCluster): Promise<Pair[]> {
  const names = nodes.nodes.map(({ name }) => name);
  const pairs: Pair[] = [];
  for (const from of names) {
    for (const to of names.filter((name) => name !== from)) {
      const { system, cluster } = nodes.node(to);
      const name = `${from}-${to}`;
      const receiver = (await system.startChild({ id: name, actor: WORKER })) as Ref;
      await cluster.register(name, receiver);
      const ref = await until("the name", () => nodes.node(from).cluster.whereis<typeof Worker>(name));
      pairs.push({ from, to, ref, receiver, accepted: [], refused: [], inDoubt: [], calls: 0 });
    }
  }
  return pairs;
}

/** Casts and calls with growing numbers, until `isOver`. */
async function send(pair: Pair, isOver: () => boolean): Promise<void> {
  const ref = pair.ref.with({ timeoutMs: 60_000 });
  const calls: Promise<void>[] = [];
  for (let number = 0; !isOver(); number++) {
    if (number % 10 === 0) {
      calls.push(
        ref.call("note", number).then(
          () => void pair.calls++,
          (error) => {
            // Handled or not, this call was not answered.
            if (error.code === "ERR_NO_CONNECTION") pair.refused.push(number);
            else pair.inDoubt.push(number);
          },
        ),
      );
      if (calls.length % 20 === 0) await Promise.all(calls);
    } else {
      await ref.cast("note", number).then(
        () => void pair.accepted.push(number),
        () => void pair.refused.push(number),
      );
    }
    if (number % 50 === 0) await turns(1);
  }
  await Promise.all(calls);
}

describe("three nodes under faults", () => {
  for (const kind of ["short", "long"] as const) {
    it(`1, 2, 3, 5, 6. ${kind} losses of connections: no message is handled twice or out of order, and each is accounted for`, async () => {
      const seed = Date.now() | 0;
      const next = random(seed);
      const downAfterMs = kind === "short" ? 30_000 : 400;
      await using nodes = await testCluster({ nodes: 3, downAfterMs, goneAfterMs: 30_000, heartbeatMs: 50 });
      const letters = new Map<string, number>();
      const downs: string[] = [];
      for (const { name, system, cluster } of nodes.nodes) {
        system.on("dead_letter", ({ id, why }) => {
          const key = `${name} ${id} ${why}`;
          letters.set(key, (letters.get(key) ?? 0) + 1);
        });
        cluster.on("node_down", ({ node, why }) => downs.push(`${name}: ${node} ${why}`));
      }
      const pairs = await pairsOf(nodes);
      let over = false;
      const sending = Promise.all(pairs.map((pair) => send(pair, () => over)));
      for (let fault = 0; fault < 8; fault++) {
        await turns(50 + next(200));
        const name = "abc"[next(3)];
        if (kind === "short") {
          nodes.disconnect(name);
          await turns(next(60));
          nodes.reconnect(name);
        } else {
          const before = downs.length;
          nodes.disconnect(name);
          await until("the loss", () => downs.length >= before + 2);
          nodes.reconnect(name);
          await nodes.connected();
        }
      }
      over = true;
      await sending;
      await nodes.connected();
      try {
        for (const pair of pairs) {
          // What came before it has been handled, or never will be.
          await until("an answer", () =>
            pair.ref.call("echo", 1).then(
              () => true,
              () => false,
            ),
          );
          const noted = (await pair.receiver.call("noted")) as number[];
          const place = `${pair.from} to ${pair.to}`;
          expect(new Set(noted).size, `${place}: none twice`).toBe(noted.length);
          expect(
            [...noted].sort((a, b) => a - b),
            `${place}: in order`,
          ).toEqual(noted);
          const handled = new Set(noted);
          expect(
            pair.refused.filter((number) => handled.has(number)),
            `${place}: refused and handled`,
          ).toEqual([]);
          const lost = pair.accepted.filter((number) => !handled.has(number));
          const dead = letters.get(`${pair.from} ${pair.ref.id} no_connection`) ?? 0;
          // What is neither handled nor a dead letter had left when a connection was lost: a window's worth each time.
          const losses = downs.filter((down) => down.startsWith(`${pair.from}: ${pair.to} `)).length;
          expect(lost.length, `${place}: accounted for`).toBeLessThanOrEqual(dead + 256 * losses);
          expect(dead, `${place}: dead letters`).toBeLessThanOrEqual(lost.length);
          if (kind === "short") expect([lost, pair.inDoubt, pair.refused, dead], place).toEqual([[], [], [], 0]);
          expect(pair.calls, `${place}: calls`).toBeGreaterThan(0);
        }
        if (kind === "short") expect(downs).toEqual([]);
      } catch (error) {
        throw new Error(`seed=${seed}: ${(error as Error).message}`, { cause: error });
      }
    });
  }
});
