import {
  formatSlot,
  hrtimeMs,
  KIND_CAST,
  MAILBOX_LANE,
  R_METHOD,
  type SlotLayout,
  type SlotMemory,
  slotBytes,
} from "@mini-otp/worker-host/protocol/memory";
import { newPayload, PUSHED, RingReader, RingWriter } from "@mini-otp/worker-host/protocol/ring";
import { expect, test } from "vitest";
import { copyAccepted } from "#runtime/mailbox/relocation.js";
import { deliverAgain } from "#worker-host/protocol/memory/lane-transitions.js";
import { DroppingReader } from "#worker-host/protocol/ring/dropping-reader.js";

const LAYOUT: SlotLayout = {
  uid: 1,
  endpointIndex: 0,
  capacity: 1024,
  mailboxBytes: 4096,
  systemBytes: 4096,
  overflow: "block",
  blockTimeoutMs: 1,
  maxDeliveries: 2,
};
const producer = { ownerId: 1, lockPatienceMs: Infinity, epochMs: hrtimeMs() };

function slotOf(layout: SlotLayout): SlotMemory {
  const buffer = new SharedArrayBuffer(slotBytes(layout));
  const memory = { words: new Int32Array(buffer), bytes: new Uint8Array(buffer) };
  formatSlot(memory.words, layout);
  return memory;
}

function push(to: SlotMemory, method: number, bytes: number): void {
  const payload = newPayload(bytes);
  payload.length = bytes;
  payload.bytes.fill(method & 255, 0, bytes);
  const writer = new RingWriter(to, MAILBOX_LANE, LAYOUT.uid, producer);
  expect(writer.push(KIND_CAST, method, 0, 0, 0, payload)).toBe(PUSHED);
}

function take(reader: RingReader): [method: number, bytes: number, areIntact: boolean] | undefined {
  if (!reader.next()) return undefined;
  const method = reader.header[R_METHOD];
  const { bytes, length } = reader.payload;
  const areIntact = bytes.subarray(0, length).every((byte) => byte === (method & 255));
  reader.commit();
  return [method, length, areIntact];
}

test("what waits moves along wherever it stands in the ring, with the places of both sides", () => {
  for (let before = 0; before < 200; before++) {
    const from = slotOf(LAYOUT);
    const old = new RingReader(from, MAILBOX_LANE, newPayload(4096));
    for (let i = 0; i < before; i++) {
      push(from, i, (i * 7) % 300);
      take(old);
    }
    const waiting = Array.from({ length: 8 }, (_, i) => [before + i, (before * 31 + i * 97) % 400] as const);
    for (const [method, bytes] of waiting) push(from, method, bytes);
    const to = slotOf(LAYOUT);
    copyAccepted(from, to);
    push(to, 1_000, 10);
    const reader = new RingReader(to, MAILBOX_LANE, newPayload(4096));
    for (const [method, bytes] of waiting) expect(take(reader)).toEqual([method, bytes, true]);
    expect(take(reader)).toEqual([1_000, 10, true]);
    expect(take(reader)).toBeUndefined();
  }
});

test("a full ring moves whole, an empty one as nothing", () => {
  const from = slotOf(LAYOUT);
  for (let i = 0; i < 128; i++) push(from, i, 0);
  const to = slotOf(LAYOUT);
  copyAccepted(from, to);
  const reader = new RingReader(to, MAILBOX_LANE, newPayload(4096));
  for (let i = 0; i < 128; i++) expect(take(reader)).toEqual([i, 0, true]);
  expect(take(reader)).toBeUndefined();
  const empty = slotOf(LAYOUT);
  copyAccepted(to, empty);
  expect(take(new RingReader(empty, MAILBOX_LANE, newPayload(4096)))).toBeUndefined();
});

test("the record that a mailbox which drops its oldest has taken out moves along", () => {
  const layout: SlotLayout = { ...LAYOUT, overflow: "drop_oldest" };
  const from = slotOf(layout);
  for (const method of [1, 2, 3]) push(from, method, 100);
  expect(new DroppingReader(from, MAILBOX_LANE, newPayload(4096), producer).next()).toBe(true);
  const to = slotOf(layout);
  copyAccepted(from, to);
  deliverAgain(to.words, MAILBOX_LANE);
  const reader = new DroppingReader(to, MAILBOX_LANE, newPayload(4096), producer);
  for (const method of [1, 2, 3]) expect(take(reader)).toEqual([method, 100, true]);
  expect(take(reader)).toBeUndefined();
});
