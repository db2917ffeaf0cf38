import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { areOfOneVersion, type Place, placed, Settling, shardOf } from "#cluster/shards/placement.js";
import { takeShardsSpec } from "#cluster/shards/shards-spec.js";

const aNode = fc.stringMatching(/^[a-z0-9-]{1,32}$/);
const someNodes = fc.uniqueArray(aNode, { minLength: 1, maxLength: 12 });
const anId = fc.string({ minLength: 1, maxLength: 64 });
const shards = fc.integer({ min: 1, max: 256 });

function places(nodes: readonly string[], version = "1"): Place[] {
  return nodes.map((node) => ({ node, version }));
}

describe("the placement of shards", () => {
  it("40. is the same on every node, in whatever order it has heard of the others", () => {
    fc.assert(
      fc.property(anId, shards, someNodes, fc.nat(), (id, count, nodes, turn) => {
        const turned = [...nodes.slice(turn % nodes.length), ...nodes.slice(0, turn % nodes.length)];
        expect(placed(id, count, places(turned))).toEqual(placed(id, count, places(nodes)));
      }),
    );
  });

  it("40. moves shards to a newcomer only, and of one that goes to those that stay", () => {
    fc.assert(
      fc.property(anId, shards, someNodes, aNode, (id, count, nodes, newcomer) => {
        fc.pre(!nodes.includes(newcomer));
        const before = placed(id, count, places(nodes));
        const after = placed(id, count, places([...nodes, newcomer]));
        for (const [shard, node] of after.entries()) if (node !== before[shard]) expect(node).toBe(newcomer);
      }),
    );
  });

  it("40. gives each node about its share", () => {
    fc.assert(
      fc.property(anId, someNodes, (id, nodes) => {
        const count = 1024;
        const plan = placed(id, count, places(nodes));
        for (const node of nodes) {
          const share = plan.filter((owner) => owner === node).length;
          // Six times the deviation of a binomial distribution.
          const p = 1 / nodes.length;
          expect(Math.abs(share - count * p)).toBeLessThanOrEqual(6 * Math.sqrt(count * p * (1 - p)) + 1);
        }
      }),
    );
  });

  it("40. is on nodes of the newest version, where numbers count as numbers", () => {
    const two = [...places(["a", "b"], "2026.9.1"), ...places(["c"], "2026.11.0")];
    expect(new Set(placed("cart", 64, two))).toEqual(new Set(["c"]));
    expect([areOfOneVersion(two), areOfOneVersion(places(["a", "b"])), areOfOneVersion([])]).toEqual([
      false,
      true,
      true,
    ]);
    expect(placed("cart", 2, [])).toEqual([undefined, undefined]);
  });

  it("40. lets what has an owner move 10 s after the last node came or went, unless its spec says another time", () => {
    const spec = { id: "cart", entity: new URL("file:///cart.entity.js") };
    const { settleMs } = takeShardsSpec(spec);
    expect(settleMs).toBe(10_000);
    expect(takeShardsSpec({ ...spec, settleMs: 0 }).settleMs).toBe(0);
    const settling = new Settling(settleMs);
    const [two, three] = [places(["a", "b"]), places(["a", "b", "c"])];
    expect(settling.saw(two, 1000)).toBe(true);
    expect(settling.mayMove(two, 10_999)).toBe(false);
    expect(settling.saw([...two].reverse(), 10_999)).toBe(false);
    expect(settling.mayMove(two, 11_000)).toBe(true);
    // Each node that comes or goes begins the time anew.
    expect(settling.saw(three, 12_000)).toBe(true);
    expect(settling.saw(two, 20_000)).toBe(true);
    expect(settling.mayMove(two, 29_999)).toBe(false);
    expect(settling.mayMove(two, 30_000)).toBe(true);
    // A node that comes back in another version has changed, and two versions never settle.
    const mixed = [...places(["a"]), ...places(["b"], "2")];
    expect(settling.saw(mixed, 31_000)).toBe(true);
    expect(settling.mayMove(mixed, 1_000_000)).toBe(false);
  });

  it("spreads entities over shards, each always to the same", () => {
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++) counts[shardOf(`cart-${i}`, 16)]++;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(shardOf("cart-17", 64)).toBe(shardOf("cart-17", 64));
  });
});
