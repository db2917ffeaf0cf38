import { describe, expect, test } from "vitest";
import { formatTrace, type Model, search } from "./model/search.js";
import { StateTable } from "./model/state-table.js";

const FIRST = 0;
const TOTAL = 2;

/** Two threads that each read a counter, add one in private, and write it back. */
class UnlockedCounter implements Model {
  readonly fields = ["first pc", "second pc", "total", "first read", "second read"];
  readonly maxima = [2, 2, 2, 2, 2];
  readonly actions: number = 2;
  readonly firstFault = 2;

  begin(state: Uint8Array): void {
    state.fill(0);
  }

  take(state: Uint8Array, thread: number): boolean {
    const read = TOTAL + 1 + thread;
    if (state[thread] === 2) return false;
    if (state[thread] === 0) state[read] = state[TOTAL];
    else state[TOTAL] = state[read] + 1;
    state[thread]++;
    return true;
  }

  violation(): string | undefined {
    return undefined;
  }

  badEnding(state: Uint8Array): string | undefined {
    return state[TOTAL] === 2 ? undefined : `the total is ${state[TOTAL]}`;
  }

  describe(state: Uint8Array, thread: number): string {
    return `${thread === FIRST ? "first" : "second"} ${state[thread] === 0 ? "reads" : "writes"}`;
  }

  summary(state: Uint8Array): string {
    return `total ${state[TOTAL]}`;
  }
}

/** Counts to 2 and goes back to 1, for ever. */
class Circle extends UnlockedCounter {
  override readonly actions = 1;

  override take(state: Uint8Array): boolean {
    state[TOTAL] = state[TOTAL] === 2 ? 1 : state[TOTAL] + 1;
    return true;
  }
}

describe("the search", () => {
  test("finds an update lost between two threads, and the shortest run to it", () => {
    const verdict = search(new UnlockedCounter());
    expect(verdict.violation).toBe("the total is 1");
    expect(verdict.trace).toHaveLength(5);
    expect(formatTrace(verdict)).toMatch(/reads\n.*reads\n.*writes\n.*writes\n.*total 1\n.*the total is 1$/);
  });

  test("finds a run that never ends", () => {
    expect(search(new Circle()).violation).toBeUndefined();
    expect(search(new Circle(), { provingEnd: true }).violation).toBe("a run goes on for ever");
  });
});

describe("the table of states", () => {
  test("knows every state it was given, and gives it back", () => {
    const table = new StateTable(["a", "unused", "b", "c"], [200, 0, 255, 255]);
    const state = new Uint8Array(4);
    const count = 201 * 256;
    const set = (n: number): Uint8Array => {
      state.set([n % 201, 0, Math.floor(n / 201), (n * 7) % 256]);
      return state;
    };
    for (let n = 0; n < count; n++) expect(table.add(set(n))).toBe(n);
    const back = new Uint8Array(4);
    for (let n = 0; n < count; n += 97) {
      expect(table.add(set(n))).toBe(~n);
      table.read(n, back);
      expect(back).toEqual(set(n));
    }
    expect(table.size).toBe(count);
  });

  test("refuses a value that its field cannot hold", () => {
    const table = new StateTable(["a", "b"], [1, 3]);
    expect(() => table.add(Uint8Array.of(0, 4))).toThrow("field=b value=4 max=3");
  });
});
