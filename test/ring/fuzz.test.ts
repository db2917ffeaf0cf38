import {
  DATA_OFFSET,
  formatSlot,
  HEAD,
  hrtimeMs,
  KIND_CAST,
  MAILBOX_LANE,
  RECORD_HEADER_BYTES,
  slotBytes,
  TAIL,
} from "@mini-otp/worker-host/protocol/memory";
import type { Sender } from "@mini-otp/worker-host/protocol/refs";
import { newPayload, RingReader, RingWriter } from "@mini-otp/worker-host/protocol/ring";
import { Codec, keepPayload } from "@mini-otp/worker-host/protocol/values";
import { expect, test } from "vitest";
import { ofPart } from "../support/part.js";

const RECORDS = ofPart(100_000, 200_000, 1_000_000);
const MAILBOX_BYTES = 4096;

/** Mulberry32: small, seeded, the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const seed = Number(process.env.FUZZ_SEED ?? 20_261_123);
const layout = {
  uid: 1,
  endpointIndex: 0,
  capacity: 1024,
  mailboxBytes: MAILBOX_BYTES,
  systemBytes: 4096,
  overflow: "block",
  blockTimeoutMs: 1,
  maxDeliveries: 1,
} as const;
const codec = new Codec({} as Sender);

const VALUES: unknown[][] = [
  [{ id: 1, name: "hello", ok: true, score: 1.5, list: [1, 2, [3]] }],
  ["text", 12_345, null, undefined, -1, 1e300],
  [new Uint8Array([1, 2, 3])],
  [new Map<unknown, unknown>([[1, new Set(["a"])]]), new Date(5), /a/g, 10n, new Float64Array([1.5])],
  [Object.assign(new RangeError("r"), { code: "E" })],
  [],
];

// Promise: payload-was-damaged-decodes
test(`mutated payloads decode or throw; none crashes or hangs (${RECORDS} of them, seed ${seed})`, {
  timeout: 120_000,
}, () => {
  const next = random(seed);
  const samples = VALUES.map((args) => keepPayload(codec.encodeArgs(args)));
  let decoded = 0;
  let refused = 0;
  for (let i = 0; i < RECORDS; i++) {
    const sample = samples[i % samples.length];
    const payload = newPayload(Math.max(sample.length, 8));
    payload.bytes.set(sample.bytes.subarray(0, sample.length));
    payload.length = Math.floor(next() * (sample.length + 1));
    payload.format = next() < 0.1 ? Math.floor(next() * 6) : sample.format;
    const flips = 1 + Math.floor(next() * 4);
    for (let flip = 0; flip < flips; flip++)
      payload.bytes[Math.floor(next() * payload.bytes.length)] = Math.floor(next() * 256);
    try {
      codec.decodeArgs(payload);
      decoded++;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      refused++;
    }
  }
  expect(decoded + refused).toBe(RECORDS);
  expect(Math.min(decoded, refused)).toBeGreaterThan(RECORDS / 100);
  // Nothing of it stuck: a good message is still decoded as it was sent.
  expect(codec.decodeArgs(keepPayload(codec.encodeArgs(VALUES[0])))).toEqual(VALUES[0]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

// Promise: payload-was-damaged-decodes
test(`scribbled records and positions are read within the ring or refused (${RECORDS} of them, seed ${seed})`, {
  timeout: 120_000,
}, () => {
  const next = random(seed + 1);
  const guardBytes = 4096;
  const buffer = new SharedArrayBuffer(slotBytes(layout) + guardBytes);
  const memory = { words: new Int32Array(buffer), bytes: new Uint8Array(buffer) };
  const producer = { ownerId: 7, lockPatienceMs: Infinity, epochMs: hrtimeMs() };
  const sample = codec.encodeArgs([{ id: 1, name: "hello" }]);
  let read = 0;
  let refused = 0;
  for (let i = 0; i < RECORDS; i++) {
    if (i % 64 === 0) {
      formatSlot(memory.words, layout);
      const writer = new RingWriter(memory, MAILBOX_LANE, layout.uid, producer);
      for (let k = 0; k < 40; k++) writer.push(KIND_CAST, 1, 0, 0, 0, sample);
    }
    const { words } = memory;
    const ring = words[MAILBOX_LANE + DATA_OFFSET] >> 2;
    words[ring + Math.floor(next() * (MAILBOX_BYTES >> 2))] =
      next() < 0.5 ? Math.floor(next() * 64) : (next() * 2 ** 32) | 0;
    if (next() < 0.2)
      words[MAILBOX_LANE + HEAD] =
        next() < 0.5 ? (words[MAILBOX_LANE + TAIL] - 8 * Math.floor(next() * 600)) | 0 : (next() * 2 ** 32) | 0;
    const reader = new RingReader(memory, MAILBOX_LANE, newPayload(64));
    try {
      if (!reader.next()) continue;
      read++;
    } catch (error) {
      if (!(error as Error).message.startsWith("torn record: ")) throw error;
      refused++;
    }
    if (reader.payload.length > MAILBOX_BYTES - RECORD_HEADER_BYTES) expect.fail(`read ${reader.payload.length} bytes`);
  }
  expect(Math.min(read, refused)).toBeGreaterThan(RECORDS / 100);
});
