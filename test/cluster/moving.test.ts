import { singleton } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { ofPart } from "../support/part.js";
import type Ledger from "./fixtures/ledger.actor.js";
import { KINDS, MovingSimulator, type Op } from "./moving-simulator.js";
import { until } from "./until.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
const anOp: fc.Arbitrary<Op> = fc.record({ kind: fc.nat(KINDS - 1), which: fc.nat(200) });
const schedule = fc.array(anOp, { maxLength: 120, size: "max" });

function sorted(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

describe("what is sent to what moves, by a schedule of owners and faults", () => {
  it("41. is handled in its order and at most once, and nothing is lost but with a connection", () => {
    fc.assert(
      fc.property(schedule, (ops) => {
        const simulator = new MovingSimulator();
        for (const op of ops) simulator.step(op);
        simulator.settle();
        const { handled, inDoubt, uncloneable, sent } = simulator;
        expect(handled).toEqual(sorted(handled));
        const all = Array.from({ length: sent }, (_, i) => i + 1);
        expect(sorted([...handled, ...inDoubt, ...uncloneable])).toEqual(all);
      }),
      { numRuns: ofPart(2000, 20_000, 50_000) },
    );
  });
});

describe("a rolling deploy of three nodes under load", () => {
  let nodes: TestCluster;

  afterEach(() => nodes[Symbol.asyncDispose]());

  const ways = { leave: "cluster.leave() and then system.stop()", stop: "system.stop() alone" } as const;
  for (const way of ["leave", "stop"] as const) {
    it(`52. fails no call but with a retriable code, and every cast to a singleton is handled, once, in order, by ${ways[way]}`, async () => {
      // None is lost on a machine that has much else to do.
      const lease = { renewMs: 500, holdMs: 10_000, takeOverMs: 15_000 };
      nodes = await testCluster({ nodes: 3, lease, downAfterMs: 10_000, window: { messages: 128 } });
      const names = ["a", "b", "c"];
      // By sender: how often each of its numbers was handled, and the last of them.
      const handled = new Int32Array(new SharedArrayBuffer(4 * 3 * 100_000));
      const lasts = new Int32Array(new SharedArrayBuffer(4 * 4));
      const declare = (node: string) =>
        nodes
          .node(node)
          .system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: node, handled, lasts } }));
      for (const name of names) await declare(name);
      const sent = [0, 0, 0];
      let calls = 0;
      let leaving = "";
      let over = false;
      const failed: string[] = [];
      const load = async (name: string, at: number): Promise<void> => {
        while (!over) {
          const node = nodes.nodes.find((one) => one.name === name);
          // Not while it is being replaced.
          if (node === undefined || leaving === name) {
            await new Promise((resolve) => setImmediate(resolve));
            continue;
          }
          const ref = node.cluster.singleton<typeof Ledger>("billing").with({ timeoutMs: 20_000 });
          for (let i = 0; i < 20 && sent[at] < 100_000; i++) await ref.cast("count", at, sent[at]++);
          await ref.call("of").then(
            () => void calls++,
            ({ code }) => void failed.push(code),
          );
        }
      };
      const loads = names.map(load);
      for (const name of names) {
        const before = calls;
        await until("some load", () => calls > before + 20);
        leaving = name;
        if (way === "leave") await nodes.node(name).cluster.leave();
        await nodes.stop(name);
        await nodes.start(name);
        await nodes.connected();
        await declare(name);
        leaving = "";
      }
      over = true;
      await Promise.all(loads);
      await until("all of them", () =>
        sent.every((count, at) => !handled.subarray(at * 100_000, at * 100_000 + count).includes(0)),
      ).catch(() => {});
      const wrong = sent.map((count, at) =>
        [...handled.subarray(at * 100_000, at * 100_000 + count)].flatMap((times, i) => (times === 1 ? [] : [i])),
      );
      expect(wrong).toEqual([[], [], []]);
      // None was handled after one that was sent later by the same node.
      expect(lasts[3]).toBe(0);
      expect(Math.min(...sent)).toBeGreaterThan(100);
      expect(failed.filter((code) => !["ERR_NO_CONNECTION", "ERR_NOPROC", "ERR_MAILBOX_FULL"].includes(code))).toEqual(
        [],
      );
    });
  }
});
