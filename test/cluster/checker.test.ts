import { describe, expect, it } from "vitest";
import { checkFences, type FencedWrite } from "./checker/fences.js";
import { checkMessages, type Outcome, type PairHistory } from "./checker/messages.js";
import { checkName, type NameOperation } from "./checker/names.js";

const A = "accepted" as const;

function pair(outcomes: readonly Outcome[], handled: readonly number[], rest: Partial<PairHistory> = {}): PairHistory {
  const base = { pair: "a to b", deadLetters: 0, losses: 0, senderKilled: false, window: 2, ring: 1 };
  return { ...base, outcomes: [undefined, ...outcomes], handled, ...rest };
}

describe("the checker of messages", () => {
  it("takes what is promised: all handled, dead letters, doubt beside a loss", () => {
    expect(checkMessages(pair([A, "answered", A], [1, 2, 3]))).toEqual([]);
    expect(checkMessages(pair([A, A, A, "refused"], [1], { deadLetters: 2, losses: 1 }))).toEqual([]);
    expect(checkMessages(pair([A, "doubt", A, A], [1, 4], { losses: 1 }))).toEqual([]);
    expect(checkMessages(pair([A, "doubt", A], [1, 2, 3], { losses: 1 }))).toEqual([]);
    expect(checkMessages(pair([A, A, A, A, undefined], [1], { senderKilled: true }))).toEqual([]);
  });

  it.each<[string, PairHistory]>([
    ["handled twice: 2", pair([A, A, A], [1, 2, 2, 3])],
    ["handled and never sent: 9", pair([A], [1, 9])],
    ["handled out of order: 2", pair([A, A, A], [1, 3, 2])],
    ["refused and handled all the same: 2", pair([A, "refused"], [1, 2])],
    ["answered and not handled: 2", pair([A, "answered"], [1])],
    ["without an outcome: 2", pair([A, undefined], [1, 2])],
    ["in doubt without a loss of the connection: 2", pair([A, "doubt"], [1, 2])],
    ["1 lost, of which 0 are accounted for: 2", pair([A, A, A], [1, 3])],
    ["3 lost, of which 2 are accounted for: 2 3 4", pair([A, A, A, A], [1], { losses: 1 })],
    ["lost in 2 places, by 1 losses of the connection: 2 4", pair([A, A, A, A, A], [1, 3, 5], { losses: 1 })],
    ["4 lost, of which 3 are accounted for", pair([A, A, A, A, A], [1], { senderKilled: true })],
    ["1 dead letters, of which only 0 were accepted and not handled", pair([A], [1], { deadLetters: 1, losses: 1 })],
  ])("finds: %s", (violation, history) => {
    expect(checkMessages(history).join("\n")).toContain(violation);
  });
});

let at = 0;
/** One after the other, unless `calledAt` says otherwise. */
function operation(kind: NameOperation["kind"], rest: Partial<NameOperation> = {}): NameOperation {
  at += 10;
  return { kind, outcome: "ok", calledAt: at, returnedAt: at + 5, ...rest };
}
const register = (holder: string, rest: Partial<NameOperation> = {}) => operation("register", { holder, ...rest });
const unregister = (holder: string, rest: Partial<NameOperation> = {}) => operation("unregister", { holder, ...rest });
const lookup = (found?: string, rest: Partial<NameOperation> = {}) => operation("lookup", { found, ...rest });
/** Of a holder that is killed now, or that loses its lease now and has another. */
const lost = (holder: string, returns: boolean) => new Map([[holder, { since: at + 5, returns }]]);

describe("the checker of names", () => {
  it.each<[string, () => NameOperation[]]>([
    ["one holder after the other", () => [register("a"), lookup("a"), unregister("a"), lookup(), register("b")]],
    ["a refused one while it is held", () => [register("a"), register("b", { outcome: "fail" }), lookup("a")]],
    ["one of which nothing was heard, found later", () => [register("a", { outcome: "info" }), lookup(), lookup("a")]],
    ["one of which nothing was heard and that never was", () => [register("a", { outcome: "info" }), register("b")]],
    [
      "two at once, of which one comes first",
      () => [register("a"), unregister("a", { returnedAt: at + 40 }), register("b"), lookup("b")],
    ],
  ])("takes %s", (_, history) => {
    expect(checkName("k", history())).toEqual([]);
  });

  it.each<[string, () => NameOperation[]]>([
    ["two holders", () => [register("a"), register("b")]],
    ["a refusal while no holder has it", () => [register("a", { outcome: "fail" })]],
    ["an old holder that is found", () => [register("a"), unregister("a"), register("b"), lookup("a")]],
    ["no holder found while it is held", () => [register("a"), lookup()]],
    ["one found that had not begun", () => [lookup("a"), register("a")]],
  ])("finds %s", (_, history) => {
    expect(checkName("k", history())).toEqual([expect.stringContaining("not linearizable")]);
  });

  it("takes a holder that was killed, until its lease is revoked, and one that registers again what it had lost", () => {
    const history = [register("a")];
    const killed = lost("a", false);
    history.push(lookup("a"), lookup(), lookup("a"), register("b"), lookup("b"), unregister("b"));
    expect(checkName("k", history, killed)).toEqual([]);
    const again = [register("a")];
    const returning = lost("a", true);
    again.push(register("b"), lookup("b"), unregister("b"), lookup("a"), register("c", { outcome: "fail" }));
    expect(checkName("k", again, returning)).toEqual([]);
  });

  it("finds one that was killed and comes back, one that is lost before it was killed, and one found beside its heir", () => {
    const killed = (operations: () => NameOperation[]): string[] => {
      const first = register("a");
      const suspects = lost("a", false);
      return checkName("k", [first, ...operations()], suspects);
    };
    expect(killed(() => [register("b"), unregister("b"), lookup("a")])).toHaveLength(1);
    expect(killed(() => [register("b"), lookup("a")])).toHaveLength(1);
    const early = [register("a"), register("b")];
    operation("lookup");
    expect(checkName("k", early, lost("a", false))).toHaveLength(1);
  });

  it("is done with 300 operations of three clients", () => {
    const history: NameOperation[] = [];
    for (let i = 0; i < 75; i++) {
      const holder = "abc"[i % 3];
      history.push(register(holder, { returnedAt: at + 25 }), register("x", { outcome: "fail", returnedAt: at + 25 }));
      history.push(lookup(holder), unregister(holder, { returnedAt: at + 12 }));
    }
    expect(checkName("k", history)).toEqual([]);
    expect(checkName("k", [...history, lookup("a")])).toHaveLength(1);
  });
});

function write(owner: string, revision: number, message: string, start = `${owner} ${revision}`): FencedWrite {
  return { owner, start, token: [1, revision], message };
}

describe("the checker of fences", () => {
  const none = { stopped: new Set<string>(), answered: [] };

  it("takes tokens that grow, and a former owner that stood still", () => {
    const writes = [write("a", 1, "1"), write("a", 1, "2"), write("b", 2, "3"), write("a", 1, "4")];
    expect(checkFences({ ...none, writes: writes.slice(0, 3), answered: ["1", "3"] })).toEqual([]);
    expect(checkFences({ ...none, writes, stopped: new Set(["a"]) })).toEqual([]);
  });

  it.each<[string, FencedWrite[], string[]]>([
    ["a 1 writes with 1/1 after b 2 with 1/2", [write("a", 1, "1"), write("b", 2, "2"), write("a", 1, "3")], []],
    ["token 1/1 is a 1's and b 1's", [write("a", 1, "1"), write("b", 1, "2")], []],
    ["1 is handled twice", [write("a", 1, "1"), write("b", 2, "1")], []],
    ["2 was answered and is not handled", [write("a", 1, "1")], ["2"]],
  ])("finds: %s", (violation, writes, answered) => {
    expect(checkFences({ ...none, writes, answered })).toContain(violation);
  });
});
