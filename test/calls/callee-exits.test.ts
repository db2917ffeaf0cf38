import { PendingCalls } from "@mini-otp/worker-host/protocol/calls";
import { expect, test } from "vitest";

const REASON = { kind: "killed" } as const;

/** A thread's open calls to `callees` actors, one each and ten to the first; what is looked at of the others is counted. */
class Thread {
  readonly calls = new PendingCalls(() => {});
  readonly settled: string[] = [];
  looks = 0;
  readonly #words = new Int32Array(new SharedArrayBuffer(64 * 1024));

  constructor(callees: number) {
    let correlation = 0;
    for (let uid = 1; uid <= callees; uid++) {
      for (let i = 0; i < (uid === 1 ? 10 : 1); i++) this.#open(++correlation, uid, i);
    }
    this.looks = 0;
  }

  #open(correlation: number, uid: number, seq: number): void {
    const callee = { uid, id: `a${uid}`, words: this.#words, calls: undefined };
    const name = `a${uid}.${seq}`;
    const call = this.calls.open(correlation, callee, name, 60_000, fail, (error) => {
      this.settled.push(`${name} ${(error as { code: string }).code}`);
    });
    if (uid === 1) {
      call.seq = seq;
      return;
    }
    const get = () => {
      this.looks++;
      return seq;
    };
    Object.defineProperty(call, "seq", { get });
  }
}

function fail(): never {
  throw new Error("nothing is answered here");
}

test("a callee's end fails the calls it had taken, in the order they were made, and leaves those that wait in its mailbox", () => {
  const { calls, settled } = new Thread(20);
  calls.calleeExited(1, REASON, 4, false);
  expect(settled).toEqual([0, 1, 2, 3].map((n) => `a1.${n} ERR_CALL_EXIT`));
  calls.calleeExited(1, REASON, 4, true);
  expect(settled.slice(4)).toEqual([4, 5, 6, 7, 8, 9].map((n) => `a1.${n} ERR_CALL_EXIT`));
  expect(calls.size).toBe(19);
});

test("it looks at no call to anyone else, however many are open", () => {
  const thread = new Thread(5_000);
  thread.calls.calleeExited(1, REASON, 0, true);
  expect([thread.settled.length, thread.looks]).toEqual([10, 0]);
});

test("a callee that has been called long ago, and not since, is found when it is called again", () => {
  const calls = new PendingCalls(() => {});
  const words = new Int32Array(new SharedArrayBuffer(64 * 1024));
  const callees = Array.from({ length: 1_000 }, (_, i) => ({ uid: i + 1, id: `a${i}`, words, calls: undefined }));
  const failed: number[] = [];
  let correlation = 0;
  const open = (at: number): number => {
    const call = calls.open(++correlation, callees[at], "m", 60_000, fail, () => void failed.push(at));
    call.seq = 0;
    return correlation;
  };
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < callees.length; at++) calls.take(open(at));
  }
  for (let at = 0; at < callees.length; at++) open(at);
  // Another reference to the same actor.
  callees[0] = { uid: 1, id: "a0", words, calls: undefined };
  open(0);
  for (const { uid } of callees) calls.calleeExited(uid, REASON, 0, true);
  expect(failed).toEqual([0, 0, ...callees.keys()].filter((at, i) => i < 2 || at > 0));
  expect(calls.size).toBe(0);
});
