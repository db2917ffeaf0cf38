import {
  formatSlot,
  hrtimeMs,
  IDENTITY,
  KIND_CAST,
  KIND_REPLY,
  MAILBOX_LANE,
  R_METHOD,
  SYSTEM_LANE,
  slotBytes,
} from "@mini-otp/worker-host/protocol/memory";
import { CLOSED, FULL, newPayload, PUSHED, RingReader, RingWriter } from "@mini-otp/worker-host/protocol/ring";
import { expect, test } from "vitest";

const LAYOUT = {
  uid: 1,
  endpointIndex: 0,
  capacity: 1024,
  mailboxBytes: 4096,
  systemBytes: 4096,
  overflow: "block",
  blockTimeoutMs: 1,
  maxDeliveries: 1,
} as const;

function ring(lane: number) {
  const buffer = new SharedArrayBuffer(slotBytes(LAYOUT));
  const memory = { words: new Int32Array(buffer), bytes: new Uint8Array(buffer) };
  formatSlot(memory.words, LAYOUT);
  const writer = (ownerId: number) =>
    new RingWriter(memory, lane, LAYOUT.uid, { ownerId, lockPatienceMs: Infinity, epochMs: hrtimeMs() });
  const reader = new RingReader(memory, lane, newPayload(4096));
  const take = (): number | undefined => {
    if (!reader.next()) return undefined;
    const method = reader.header[R_METHOD];
    reader.commit();
    return method;
  };
  return { memory, writer, reader, take };
}

function payloadOf(bytes: number) {
  const payload = newPayload(bytes);
  payload.length = bytes;
  return payload;
}

test("a producer that was silent while others filled the ring for 2 GiB sees that it is full", () => {
  const { writer, take } = ring(SYSTEM_LANE);
  const [silent, busy] = [writer(1), writer(2)];
  const quarter = payloadOf(992);
  silent.push(KIND_REPLY, 1, 0, 0, 0, quarter);
  take();
  for (let passed = 0; passed < 2 ** 31; passed += 1024) {
    busy.push(KIND_REPLY, 2, 0, 0, 0, quarter);
    take();
  }
  for (const method of [100, 101, 102, 103]) expect(busy.push(KIND_REPLY, method, 0, 0, 0, quarter)).toBe(PUSHED);
  expect(silent.push(KIND_REPLY, 999, 0, 0, 0, quarter)).toBe(FULL);
  expect([take(), take(), take(), take(), take()]).toEqual([100, 101, 102, 103, undefined]);
});

test("records of every size go through the wrap and the overflow of the positions in order", () => {
  const { writer, take } = ring(MAILBOX_LANE);
  const [a, b] = [writer(1), writer(2)];
  for (let i = 0; i < 5_000; i++) {
    expect(a.push(KIND_CAST, 2 * i, 0, 0, 0, payloadOf((i * 7) % 960))).toBe(PUSHED);
    expect(b.push(KIND_CAST, 2 * i + 1, 0, 0, 0, payloadOf((i * 13) % 960))).toBe(PUSHED);
    expect([take(), take()]).toEqual([2 * i, 2 * i + 1]);
  }
});

test("the bytes of a payload arrive as they were, whatever its length", () => {
  const { writer, reader } = ring(MAILBOX_LANE);
  const producer = writer(1);
  for (let length = 0; length <= 900; length++) {
    const payload = payloadOf(length);
    for (let i = 0; i < length; i++) payload.bytes[i] = (i * 31 + length) & 255;
    producer.push(KIND_CAST, 1, 0, 0, 0, payload);
    expect(reader.next()).toBe(true);
    expect(reader.payload.length).toBe(length);
    expect(Buffer.compare(reader.payload.bytes.subarray(0, length), payload.bytes.subarray(0, length))).toBe(0);
    reader.commit();
  }
});

test("the room of a message is free once it has been handled, not before", () => {
  const { writer, reader } = ring(MAILBOX_LANE);
  const producer = writer(1);
  const empty = payloadOf(0);
  let accepted = 0;
  while (producer.push(KIND_CAST, 1, 0, 0, 0, empty) === PUSHED) accepted++;
  // 4 096 bytes hold 128 headers, so bytes are the limit here.
  expect(accepted).toBe(128);
  reader.next();
  expect(producer.push(KIND_CAST, 1, 0, 0, 0, empty)).toBe(FULL);
  reader.commit();
  expect(producer.push(KIND_CAST, 1, 0, 0, 0, empty)).toBe(PUSHED);
});

test("a slot that belongs to another actor by now refuses", () => {
  const { memory, writer } = ring(MAILBOX_LANE);
  const producer = writer(1);
  Atomics.store(memory.words, IDENTITY, 0);
  formatSlot(memory.words, { ...LAYOUT, uid: 2 });
  expect(producer.push(KIND_CAST, 1, 0, 0, 0, payloadOf(0))).toBe(CLOSED);
});
