import { OpenCalls } from "@mini-otp/worker-host/protocol/calls";
import fc from "fast-check";
import { expect, test } from "vitest";

interface Call {
  readonly correlation: number;
}

test("calls are found by their correlation while they are open, in whatever order they end, and listed as made", () => {
  // Each step makes some calls, then ends some of those that are open, the n-th of them.
  const step = fc.record({ made: fc.nat(1500), ended: fc.array(fc.nat(), { maxLength: 1500 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom(1, 0x7fff_f800), (steps, first) => {
      const calls = new OpenCalls<Call>();
      const expected = new Map<number, Call>();
      let next: number = first;
      for (const { made, ended } of steps) {
        for (let i = 0; i < made; i++) {
          const call = { correlation: next };
          next = next === 0x7fff_ffff ? 1 : next + 1;
          calls.add(call);
          expected.set(call.correlation, call);
        }
        const open = [...expected.keys()];
        for (const n of ended) {
          const correlation = open[n % Math.max(1, open.length)] ?? 7;
          if (calls.get(correlation) !== expected.get(correlation)) expect.fail(`another call for ${correlation}`);
          calls.delete(correlation);
          expected.delete(correlation);
          if (calls.get(correlation) !== undefined) expect.fail(`${correlation} is still there`);
        }
        expect(calls.size).toBe(expected.size);
      }
      expect([...expected.keys()].map((correlation) => calls.get(correlation))).toEqual([...expected.values()]);
      expect(calls.values()).toEqual([...expected.values()]);
    }),
    { numRuns: 60 },
  );
});

test("a call that stays open is found after a hundred thousand others, and they after it", () => {
  const calls = new OpenCalls<Call>();
  calls.add({ correlation: 1 });
  for (let correlation = 2; correlation < 100_000; correlation++) {
    calls.add({ correlation });
    if (calls.get(correlation)?.correlation !== correlation) expect.fail(`no call ${correlation}`);
    calls.delete(correlation);
  }
  expect(calls.get(1)?.correlation).toBe(1);
  expect(calls.size).toBe(1);
});
