import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Frame } from "#cluster/link/frame.js";
import { type LinkAction, type LinkEvent, type LinkState, linkStep, newLink } from "#cluster/link/link.js";
import { ofPart } from "../support/part.js";
import { KINDS, LinkSimulator, type Op } from "./link-simulator.js";

const anOp: fc.Arbitrary<Op> = fc.record({
  kind: fc.nat(KINDS - 1),
  side: fc.constantFrom(0 as const, 1 as const),
  which: fc.nat(200),
});
/** Without what ends a session: its numbers are 13 and 14. */
const aFault = anOp.filter(({ kind }) => kind !== 13 && kind !== 14);
const schedule = (op: fc.Arbitrary<Op>): fc.Arbitrary<Op[]> => fc.array(op, { maxLength: 60, size: "max" });

function up(): LinkSimulator {
  const simulator = new LinkSimulator();
  simulator.settle();
  return simulator;
}

/** Of all messages ever sent: in this order, and each once. */
function isInOrder(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]);
}

describe("a link over a network that loses, repeats, delays and reorders", () => {
  it("1, 2. takes what one side has sent in its order and at most once, whatever sessions end and nodes restart", () => {
    fc.assert(
      fc.property(schedule(anOp), (ops) => {
        const simulator = up();
        for (const op of ops) simulator.step(op);
        simulator.settle();
        for (const side of [0, 1] as const) {
          const { delivered } = simulator.sides[side];
          if (!isInOrder(delivered)) throw new Error(`side ${side} has taken ${delivered.join(" ")}`);
        }
      }),
      { numRuns: ofPart(12_000, 20_000, 60_000) },
    );
  });

  it("3. loses nothing while both ends live, and nothing comes twice", () => {
    fc.assert(
      fc.property(schedule(aFault), (ops) => {
        const simulator = up();
        for (const op of ops) simulator.step(op);
        simulator.settle();
        for (const [side, other] of [
          [0, 1],
          [1, 0],
        ] as const) {
          const sent = simulator.sent[side].map(({ number }) => number);
          expect(simulator.sides[other].delivered).toEqual(sent);
        }
      }),
      { numRuns: ofPart(12_000, 20_000, 60_000) },
    );
  });

  it("24. tells both ends of a session that has ended, and brings up the next", () => {
    fc.assert(
      fc.property(schedule(anOp), (ops) => {
        const simulator = up();
        for (const op of ops) simulator.step(op);
        simulator.settle();
        for (const { link, ups, downs } of simulator.sides) {
          expect(link.phase).toBe("up");
          // Each session that it was told of has ended, but the one that is there.
          expect(ups - downs).toBe(1);
        }
        const [one, other] = simulator.sides;
        expect([one.link.epoch, one.link.peerEpoch]).toEqual([other.link.peerEpoch, other.link.epoch]);
      }),
      { numRuns: ofPart(12_000, 20_000, 60_000) },
    );
  });

  it("keeps no more than its window, and offers room again when half of it is acknowledged", () => {
    const simulator = up();
    let frames = 0;
    while (simulator.sides[0].link.unackedBytes < 1024 * 1024) {
      simulator.event(0, { type: "data", body: new Uint8Array(16 * 1024) });
      frames++;
    }
    expect(frames).toBe(64);
    simulator.settle();
    expect(simulator.sides[0].link.unackedBytes).toBe(0);
    expect(simulator.sides[1].delivered).toHaveLength(64);
  });

  it("3. an acknowledgement that was lost is sent again when what it was for comes again", () => {
    const self = { incarnation: "a", startedAt: 1, oldest: 1, newest: 1 };
    const one = newLink(self, 10);
    const other = newLink({ ...self, incarnation: "b" }, 20);
    const framesOf = (actions: readonly LinkAction[]): Frame[] =>
      actions.flatMap((action) => (action.type === "send" ? [action.frame] : []));
    const pass = (from: LinkState, to: LinkState, event: LinkEvent, now: number): void => {
      for (const frame of framesOf(linkStep(from, event, now))) pass(to, from, { type: "frame", frame }, now);
    };
    pass(one, other, { type: "greet" }, 0);
    pass(one, other, { type: "data", body: new Uint8Array(8) }, 10);
    const lost = framesOf(linkStep(other, { type: "tick" }, 20));
    expect(lost).toMatchObject([{ ack: 1 }]);
    expect(one.unackedBytes).toBe(8);
    // It comes again after a second without an answer. The other has nothing of its own to say.
    pass(one, other, { type: "tick" }, 2000);
    pass(other, one, { type: "tick" }, 2010);
    expect(one.unackedBytes).toBe(0);
    expect(other.taken).toBe(1);
  });

  it("19. sends to one that stands still again only after ever longer pauses", () => {
    const simulator = up();
    const { link } = simulator.sides[0];
    linkStep(link, { type: "data", body: new Uint8Array(1024) }, 10_000);
    const at: number[] = [];
    for (let now = 10_250; now <= 26_000; now += 250) {
      const before = link.resent;
      linkStep(link, { type: "tick" }, now);
      if (link.resent > before) at.push(now - 10_000);
    }
    expect(at).toEqual([1000, 3000, 7000, 11_000, 15_000]);
  });

  it("48. nodes whose protocols do not overlap exchange nothing but their greetings", () => {
    const simulator = new LinkSimulator();
    Object.assign(simulator.sides[1].link.self, { oldest: 7, newest: 9 });
    simulator.settle();
    expect(simulator.sides.map(({ link }) => link.phase)).toEqual(["incompatible", "incompatible"]);
  });
});
