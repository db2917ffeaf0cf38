import type { ActorRef, ExitReason } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import { Heaviest } from "#worker-host/partition/heaviest.js";
import { Weight } from "#worker-host/partition/weight.js";
import { eventually } from "../support/eventually.js";
import { lightMembers } from "./members.js";

const MB = 2 ** 20;
const NONE: ReadonlySet<unknown> = new Set();

function weigh(value: unknown, mostBytes = Infinity): Weight {
  const weight = new Weight(value, NONE, mostBytes);
  while (!weight.advance(100));
  return weight;
}

describe("what a state holds", () => {
  test("is about what V8 takes for it, whatever it is made of, and each thing is counted once", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({ i }));
    const list = many.reduce<object | undefined>((next, value) => ({ value, next }), undefined);
    const nested = many.reduce<unknown[]>((inner, value) => [value, inner], []);
    const circle: Record<string, unknown> = { many };
    circle.self = [circle, new Map([[circle, circle]]), new Set([many, circle])];
    for (const value of [many, list, nested, circle, new Map(many.entries()), new Set(many)]) {
      const { heapBytes } = weigh(value);
      expect(heapBytes).toBeGreaterThan(10_000 * 32);
      expect(heapBytes).toBeLessThan(10_000 * 160);
    }
    const text = "x".repeat(1_000_000);
    expect(weigh([text, text, { text }]).heapBytes).toBeLessThan(1_001_000);
    const buffer = new ArrayBuffer(MB);
    const views = [buffer, new Uint8Array(buffer), new DataView(buffer), new SharedArrayBuffer(MB)];
    expect(weigh(views).offHeapBytes).toBe(MB);
  });

  test("is found without running its code, and no further than is needed", () => {
    let ran = 0;
    const run = (): never => {
      throw new Error(String(++ran));
    };
    class Getters {
      get own(): never {
        return run();
      }
      readonly [Symbol.iterator] = run;
    }
    const proxy = new Proxy({}, { get: run, ownKeys: run, getOwnPropertyDescriptor: run, getPrototypeOf: run });
    const map = Object.assign(new Map([[1, 2]]), { entries: run, [Symbol.iterator]: run });
    weigh([proxy, new Getters(), Object.defineProperty({}, "x", { get: run, enumerable: true }), map]);
    expect(ran).toBe(0);
    const large = Array.from({ length: 100_000 }, (_, i) => ({ i }));
    expect(weigh(large, 1_000).heapBytes).toBeLessThan(1_200);
  });

  test("is the heaviest one's, and what two of them share is neither's", () => {
    const objects = (count: number): object[] => Array.from({ length: count }, (_, i) => ({ i }));
    const limits = { heapBytes: 100_000, offHeapBytes: 100_000 };
    const heaviest = (states: unknown[]): number | undefined => {
      const search = new Heaviest(
        states.map((state, of) => ({ of, state })),
        limits,
      );
      while (!search.work(0));
      return search.found?.of;
    };
    expect(heaviest([objects(10), objects(1_000), {}, undefined, 7])).toBeUndefined();
    expect(heaviest([objects(10_000), objects(3_000), objects(10)])).toBe(0);
    expect(heaviest([objects(3_000), new Uint8Array(1_000_000), objects(10)])).toBe(1);
    const cache = objects(10_000);
    expect(heaviest([{ cache }, { cache }, [cache], {}])).toBeUndefined();
    expect(heaviest([{ cache }, { cache, own: objects(5_000) }, [cache]])).toBe(1);
  });
});

describe("a partition that is nearly full", () => {
  const members = () =>
    lightMembers({ threads: { heapCapMb: 64, offHeapCapMb: 64 }, template: { restart: "permanent" } });
  const endOf = (system: Awaited<ReturnType<typeof members>>["system"], ref: ActorRef) =>
    new Promise<ExitReason>((told) => system.monitor(ref, ({ reason }) => told(reason)));

  test.each(["objects", "bytes"] as const)(
    "ends the member whose state holds more than a quarter of the cap, and no other, when it grows by %s",
    async (what) => {
      const { system, supervisor, start } = await members();
      const [a, holder] = [await start("a"), await start("holder")];
      const small = await Promise.all(Array.from({ length: 100 }, () => start()));
      await Promise.all(small.map((ref) => ref.call("note", "small")));
      const mark = await a.call("mark");
      const end = endOf(system, holder);
      let ended = false;
      void end.then(() => {
        ended = true;
      });
      // It grows while another one has more to do, and slowly once it is to be found.
      const partition = supervisor.partitions()[0].ref;
      while (!ended) {
        const { heapUsedMb, offHeapMb } = system.stats(partition);
        const isNearlyFull = Math.max(heapUsedMb, offHeapMb) > 45;
        await holder.call("keep", isNearlyFull ? 1 / 16 : 1, what).catch(() => {});
        for (let i = 0; i < 20; i++) await a.call("work");
      }
      expect(await end).toMatchObject({ kind: what === "objects" ? "heap_cap_exceeded" : "off_heap_cap_exceeded" });
      expect(await a.call("path")).toMatchObject({ incarnation: 1 });
      expect(await a.call("mark")).toBe(mark);
      expect(await holder.call("path")).toMatchObject({ incarnation: 2 });
      expect(supervisor.partitions()[0].ended).toMatchObject({ [(await end).kind]: 1 });
      expect(system.stats(supervisor.partitions()[0].ref).incarnation).toBe(1);
    },
  );

  test("that ends over its heap charges who has filled it, not whose code runs", async () => {
    const { system, supervisor, start } = await members();
    const [a, holder] = [await start("a"), await start("holder")];
    const quarantined: string[] = [];
    system.on("actor_quarantined", ({ id }) => void quarantined.push(id));
    for (let life = 1; life <= 2; life++) {
      const ends = Promise.all([a, holder].map((ref) => endOf(system, ref)));
      // More at once than there is between three quarters of the cap and the cap.
      await holder.cast("keep", 90);
      let ended = false;
      void ends.then(() => {
        ended = true;
      });
      while (!ended) await a.call("work").catch(() => {});
      expect(await ends).toMatchObject([{ kind: "partition_ended" }, { kind: "heap_cap_exceeded" }]);
    }
    await eventually(() => quarantined.length === 1);
    expect(quarantined).toEqual(["root/members/holder"]);
    expect(await a.call("path")).toMatchObject({ incarnation: 3 });
    expect(supervisor.child("holder")).toBeUndefined();
  });

  test("of what its members share charges none", async () => {
    const { system, start } = await members();
    const all = [await start("a"), await start("b"), await start("c")];
    for (const ref of all) await ref.call("keepShared");
    const ends = Promise.all(all.map((ref) => endOf(system, ref)));
    let ended = false;
    void ends.then(() => {
      ended = true;
    });
    // Little at once: who fills for long is known by that.
    while (!ended) await all[0].call("fillCache", 1 / 8).catch(() => {});
    for (const reason of await ends) expect(reason).toMatchObject({ kind: "partition_ended" });
  });
});
