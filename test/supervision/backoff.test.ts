import fc from "fast-check";
import { expect, test } from "vitest";
import { type BackoffOptions, type BackoffState, nextRestart } from "#runtime/supervision/backoff.js";

const OPTIONS: BackoffOptions = { minMs: 100, maxMs: 1_000, factor: 2, jitter: 0, resetAfterMs: 550 };
const FRESH: BackoffState = { attempts: 0, upSince: null };

/** The delays of failures without a healthy life between them. */
function delays(options: BackoffOptions, count: number, random = 0.5): number[] {
  let state = FRESH;
  return Array.from({ length: count }, () => {
    const next = nextRestart(options, state, 0, random);
    state = next.state;
    return next.delayMs;
  });
}

// Promise: n-th-delay-min
test("each further restart waits factor times as long, up to maxMs", () => {
  expect(delays(OPTIONS, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

// Promise: minms-0-restart-immediate
test("with minMs 0 every restart is immediate", () => {
  expect(delays({ ...OPTIONS, minMs: 0 }, 3)).toEqual([0, 0, 0]);
});

// Promise: healthy-life-resetafterms-begins
test("a life of resetAfterMs or more makes the next delay the first again", () => {
  const worn: BackoffState = { attempts: 5, upSince: 1_000 };
  expect(nextRestart(OPTIONS, worn, 1_550, 0).delayMs).toBe(100);
  expect(nextRestart(OPTIONS, worn, 1_549, 0).delayMs).toBe(1_000);
});

test("a start that fails is no healthy life, however long ago the last one was", () => {
  expect(nextRestart(OPTIONS, { attempts: 2, upSince: null }, 1e9, 0).delayMs).toBe(400);
});

// Promise: n-th-delay-min
test("jitter varies a delay up and down by no more than its part, and never past maxMs", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(2_000),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (jitter, attempts, random) => {
        const { delayMs } = nextRestart({ ...OPTIONS, jitter }, { attempts, upSince: null }, 0, random);
        const plain = Math.min(1_000, 100 * 2 ** attempts);
        expect(delayMs).toBeGreaterThanOrEqual(plain * (1 - jitter));
        expect(delayMs).toBeLessThanOrEqual(Math.min(1_000, plain * (1 + jitter)));
      },
    ),
  );
});
