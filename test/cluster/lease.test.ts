import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ofPart } from "../support/part.js";
import { LeaseSimulator, TIMES } from "./lease-simulator.js";

const aStep = fc.record({ kind: fc.nat(11), client: fc.nat(1), ms: fc.nat(1500) });
/** The fastest runs not quite 1.5 times as fast as the slowest: takeOverMs is 1.5 times holdMs. */
const aRate = fc.double({ min: 0.82, max: 1.22, noNaN: true });

function play(
  simulator: LeaseSimulator,
  { kind, client: index, ms }: { kind: number; client: number; ms: number },
): void {
  const client = simulator.clients[index];
  if (kind <= 2) simulator.now += ms;
  else if (kind === 3) simulator.event(client, { type: "begin" });
  else if (kind === 4 || kind === 5) simulator.event(client, { type: "tick" });
  else if (kind === 6) simulator.arrive(client);
  else if (kind === 7) simulator.answered(client, false);
  else if (kind === 8) simulator.answered(client, ms % 5 === 0);
  else if (kind === 9) simulator.look();
  else if (kind === 10) simulator.revoke();
  else if (ms % 10 === 0) client.dead = true;
}

/** Without faults: every question is answered at once, for so long. */
function run(simulator: LeaseSimulator, ms: number, looking = true): void {
  for (const end = simulator.now + ms; simulator.now < end; simulator.now += 250) {
    for (const client of simulator.clients) {
      simulator.event(client, { type: "tick" });
      simulator.arrive(client);
      simulator.answered(client, false);
      simulator.arrive(client);
      simulator.answered(client, false);
    }
    if (looking) {
      simulator.look();
      simulator.revoke();
    }
    simulator.check();
  }
}

describe("a node's lease", () => {
  it("34. is never held by two at a time, nor by one from whom it was taken, whatever is late, lost or dead", () => {
    fc.assert(
      fc.property(fc.tuple(aRate, aRate, aRate), fc.array(aStep, { maxLength: 120, size: "max" }), (rates, steps) => {
        const simulator = new LeaseSimulator(rates);
        for (const step of steps) {
          play(simulator, step);
          simulator.check();
        }
      }),
      { numRuns: ofPart(8_000, 20_000, 40_000) },
    );
  });

  it("34. as that, in every order of what can happen to one that takes over from one that is late", () => {
    // All schedules of so many steps, each of them one of these, from where the one holds its lease and is cut off.
    const moves = [
      { kind: 0, client: 0, ms: 4100 },
      { kind: 6, client: 0, ms: 0 },
      { kind: 7, client: 0, ms: 0 },
      { kind: 4, client: 0, ms: 0 },
      { kind: 9, client: 0, ms: 0 },
      { kind: 10, client: 0, ms: 0 },
      { kind: 4, client: 1, ms: 0 },
      { kind: 6, client: 1, ms: 0 },
      { kind: 7, client: 1, ms: 0 },
    ];
    const steps = 6;
    let schedules = 0;
    for (let number = 0; number < moves.length ** steps; number++) {
      const simulator = new LeaseSimulator([1, 1, 1]);
      simulator.event(simulator.clients[0], { type: "begin" });
      run(simulator, 3000);
      simulator.event(simulator.clients[1], { type: "begin" });
      for (let step = 0, rest = number; step < steps; step++, rest = Math.floor(rest / moves.length)) {
        play(simulator, moves[rest % moves.length]);
        simulator.check();
      }
      schedules++;
    }
    expect(schedules).toBe(9 ** 6);
  });

  it("34. of a holder that is cut off ends holdMs after its last renewal was sent", () => {
    const simulator = new LeaseSimulator([1, 1, 1]);
    const [holder] = simulator.clients;
    simulator.event(holder, { type: "begin" });
    run(simulator, 1000);
    expect(simulator.holders).toEqual([holder]);
    const { mono } = holder.lease.renewedAt;
    for (; simulator.now < mono + TIMES.holdMs; simulator.now += 100) {
      simulator.event(holder, { type: "tick" });
      expect(simulator.holders).toEqual([holder]);
    }
    simulator.event(holder, { type: "tick" });
    expect([holder.ended, simulator.holders]).toEqual(["expired", []]);
  });

  it("29. is refused to a second process of the name as soon as the first has renewed it", () => {
    const simulator = new LeaseSimulator([1, 1, 1]);
    const [first, second] = simulator.clients;
    simulator.event(first, { type: "begin" });
    run(simulator, 500);
    const since = simulator.now;
    simulator.event(second, { type: "begin" });
    run(simulator, TIMES.renewMs + 1000);
    expect(second.ended).toBe("taken by x0");
    expect(simulator.now - since).toBeLessThanOrEqual(TIMES.renewMs + 1000);
    expect(simulator.holders).toEqual([first]);
  });

  it("29. is granted to the next process of the name when the one before has died, and not before takeOverMs", () => {
    const simulator = new LeaseSimulator([1, 1, 1]);
    const [first, second] = simulator.clients;
    simulator.event(first, { type: "begin" });
    run(simulator, 500);
    first.dead = true;
    const since = simulator.now;
    simulator.event(second, { type: "begin" });
    run(simulator, TIMES.takeOverMs - 500, false);
    expect(second.granted).toBe(0);
    run(simulator, 2500, false);
    expect([second.granted, second.lease.term]).toEqual([1, 2]);
    expect(simulator.now - since).toBeLessThanOrEqual(TIMES.takeOverMs + 2000);
  });

  it("35. that was revoked while its holder stood still is found revoked at the first renewal", () => {
    const simulator = new LeaseSimulator([1, 1, 1]);
    const [holder] = simulator.clients;
    simulator.event(holder, { type: "begin" });
    run(simulator, 500);
    // Its own clock stood still with it, as a suspended machine's may.
    const { lease } = holder;
    simulator.now += TIMES.takeOverMs;
    simulator.look();
    simulator.now += TIMES.takeOverMs;
    simulator.look();
    simulator.revoke();
    lease.renewedAt = { mono: simulator.now, wall: simulator.now };
    simulator.event(holder, { type: "tick" });
    simulator.arrive(holder);
    simulator.answered(holder, false);
    simulator.arrive(holder);
    simulator.answered(holder, false);
    expect(holder.ended).toBe("revoked");
  });
});
