import {
  identity,
  MAX_UID,
  STATE_DRAINING,
  STATE_MOVED,
  STATE_OPEN,
  uidOf,
} from "@mini-otp/worker-host/protocol/memory";
import { expect, onTestFinished, test } from "vitest";
import { router, startSystem } from "#runtime/index.js";
import { Slots } from "#runtime/mailbox/slots.js";
import { Uids, uids } from "#runtime/mailbox/uids.js";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture } from "../support/system.js";

const LAYOUT = {
  capacity: 4,
  mailboxBytes: 4096,
  systemBytes: 4096,
  overflow: "block",
  blockTimeoutMs: 1,
  maxDeliveries: 1,
} as const;

test("a slot's identity gives back the last number there is, in every state", () => {
  const words = new Int32Array(new SharedArrayBuffer(64));
  for (const state of [STATE_OPEN, STATE_DRAINING, STATE_MOVED] as const) {
    for (const uid of [1, 2 ** 29, MAX_UID]) {
      words[0] = identity(uid, state);
      expect(uidOf(words)).toBe(uid);
    }
  }
});

test("numbers go round, and pass over those in use", () => {
  const numbers = new Uids(MAX_UID - 2);
  const early = new Uids();
  expect([early.take(), early.take()]).toEqual([1, 2]);
  expect([numbers.take(), numbers.take(), numbers.take()]).toEqual([MAX_UID - 1, MAX_UID, 1]);
  numbers.goOnFrom(MAX_UID - 1);
  numbers.free(1);
  expect(numbers.take()).toBe(1);
  expect(numbers.take()).toBe(2);
});

test("a slot's number is free again once the slot is", () => {
  const slots = new Slots(() => {});
  uids.goOnFrom(MAX_UID - 1);
  const slot = slots.allocate(LAYOUT);
  expect(uidOf(slot.memory.words)).toBe(MAX_UID);
  uids.goOnFrom(MAX_UID - 1);
  const other = slots.allocate(LAYOUT);
  expect(other.uid).not.toBe(MAX_UID);
  slots.release(slot);
  uids.goOnFrom(MAX_UID - 1);
  const again = slots.allocate(LAYOUT);
  expect(again.uid).toBe(MAX_UID);
  slots.release(again);
  slots.release(other);
});

// Promise: numbers-actors-go-round
test("after 2^30 starts actors are started, called, watched, routed to and replaced as before", async () => {
  const system = await startSystem({ logger: false, intensity: 100 });
  onTestFinished(async () => void (await system.stop({ timeoutMs: 200 })));
  const before = await system.startChild<typeof Echo>({ id: "before", actor: fixture("echo") });
  uids.goOnFrom(MAX_UID - 3);
  const refs = [];
  for (let i = 0; i < 6; i++) {
    refs.push(await system.startChild<typeof Echo>({ id: `echo${i}`, actor: fixture("echo") }));
  }
  const all = [before, ...refs];
  expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length);
  expect(refs.map(({ uid }) => uid)).toContain(MAX_UID);
  // One after the other: all at once each could wait for the next one in a circle.
  for (const [i, to] of all.entries()) expect(await to.call("forward", all[(i + 1) % all.length], i)).toBe(i);
  uids.goOnFrom(MAX_UID - 1);
  const routed = await system.startChild(
    router<typeof Echo>({ id: "routed", actor: fixture("echo"), size: 3, route: "round_robin" }),
  );
  const everyone = await routed.callAll("echo", "all");
  expect(everyone.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
  expect(await before.call("forward", routed, 7)).toBe(7);
  const gone: string[] = [];
  for (const ref of refs) system.monitor(ref, ({ id }) => gone.push(id));
  for (let i = 0; i < 6; i++) await system.terminateChild(`echo${i}`);
  await eventually(() => gone.length === 6);
  // What they left is taken by others, whom their references do not reach.
  const later = await system.startChild<typeof Echo>({ id: "later", actor: fixture("echo") });
  expect(await later.call("echo", 1)).toBe(1);
  await expect(refs[5].call("echo", 1)).rejects.toMatchObject({ code: "ERR_NOPROC" });
  expect(refs[5].tryCast("echo", 1)).toBe("closed");
});
