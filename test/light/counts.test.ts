import {
  CELL_ACCEPTED,
  CELL_BYTES,
  CELL_IDENTITY,
  CELL_WORDS,
  closeTable,
  FIRST_CELL,
  formatSlot,
  formatTable,
  hrtimeMs,
  KIND_CAST,
  lengthIn,
  MAILBOX_LANE,
  R_SEQ,
  STATE_OPEN,
  slotBytes,
  tableBytes,
} from "@mini-otp/worker-host/protocol/memory";
import { FORMAT_MEMBER, FULL, newPayload, PUSHED, RingReader, RingWriter } from "@mini-otp/worker-host/protocol/ring";
import { describe, expect, test } from "vitest";
import { Mailbox } from "#runtime/mailbox/mailbox.js";
import { Cell, Waiting } from "#worker-host/partition/cell.js";
import { Line } from "#worker-host/partition/line.js";
import { Mailboxes } from "#worker-host/partition/mailboxes.js";

const PERMANENT = 2;
const NUMBER = FIRST_CELL;
const AT = NUMBER * CELL_WORDS;
const GENERATION = 1;

/** The table of a partition with one member that is started again, and a thread of it after the other. */
function partition() {
  const table = new Int32Array(new SharedArrayBuffer(tableBytes(8)));
  formatTable(table, { address: 0, uid: 1 }, 2 ** 20);
  table[8] = NUMBER + 1;
  table.set([(GENERATION << 2) | STATE_OPEN, 0, 0, 0, 4, 4_096, 0], AT + CELL_IDENTITY);
  const thread = () => {
    const news = { lost: () => {} };
    const mailboxes = new Mailboxes({ table, outbox: {}, news } as never, new Line(), {
      waits: false,
      roomIn: () => {},
      moved: () => {},
    });
    const cell = new Cell(
      NUMBER,
      GENERATION,
      "a",
      "root/members",
      { spec: { restart: PERMANENT } } as never,
      undefined,
    );
    return { mailboxes, cell };
  };
  /** A sender of another thread. */
  const accept = (bytes: number): void => {
    table[AT + CELL_ACCEPTED]++;
    table[AT + CELL_BYTES] += bytes;
  };
  const waits = () => ({ length: lengthIn(table, AT), bytes: table[AT + CELL_BYTES] });
  const ends = (saved: readonly number[]) => {
    const bytes = saved.reduce((sum, size) => sum + size, 0);
    closeTable(table, new Map([[NUMBER, { count: saved.length, bytes }]]));
  };
  return { table, thread, accept, waits, ends };
}

const message = (bytes: number) => new Waiting("note", [], bytes, undefined, false);

describe("the room in the mailbox of a light actor whose partition ends", () => {
  test("is what it was once its messages are handled, also with what came after the last words", () => {
    const { thread, accept, waits, ends } = partition();
    const { mailboxes, cell } = thread();
    for (const [seq, bytes] of [10, 20, 30].entries()) {
      accept(bytes);
      if (seq < 2) mailboxes.put(cell, message(bytes), seq);
      // This one is told in words of its own.
      else mailboxes.count(cell, message(bytes), seq);
    }
    expect(waits()).toEqual({ length: 3, bytes: 60 });
    ends([10, 20, 30]);
    expect(waits()).toEqual({ length: 3, bytes: 60 });
    const next = thread();
    for (const bytes of [10, 20, 30]) next.mailboxes.putBack(next.cell, message(bytes));
    for (let i = 0; i < 3; i++) next.mailboxes.take(next.cell);
    expect(waits()).toEqual({ length: 0, bytes: 0 });
  });

  test("is shared by the members of its thread and the senders of others, each counted by its own side", () => {
    const { thread, accept, waits } = partition();
    const { mailboxes, cell } = thread();
    accept(10);
    for (let seq = 0; seq < 3; seq++) expect(mailboxes.offer(cell, message(10))).toBe(PUSHED);
    expect(mailboxes.offer(cell, message(10))).toBe(FULL);
    expect(waits()).toEqual({ length: 4, bytes: 40 });
    mailboxes.take(cell);
    expect(waits()).toEqual({ length: 3, bytes: 30 });
    accept(10);
    expect(mailboxes.offer(cell, message(10))).toBe(FULL);
  });

  test("is not less by what was accepted and could not be told", () => {
    const { thread, accept, waits, ends } = partition();
    const { mailboxes, cell } = thread();
    expect(mailboxes.offer(cell, message(10))).toBe(PUSHED);
    accept(20);
    mailboxes.put(cell, message(20), 0);
    accept(30);
    // Not even linked: the thread ended in the middle.
    mailboxes.count(cell, message(30), 1);
    ends([20]);
    expect(waits()).toEqual({ length: 1, bytes: 20 });
  });

  test("a message that the thread was taking in when it ended is taken in by the next one, once", () => {
    const layout = {
      uid: 1,
      endpointIndex: 0,
      capacity: 16,
      mailboxBytes: 4096,
      systemBytes: 4096,
      overflow: "block",
      blockTimeoutMs: 1,
      maxDeliveries: 1,
    } as const;
    const buffer = new SharedArrayBuffer(slotBytes(layout));
    const memory = { words: new Int32Array(buffer), bytes: new Uint8Array(buffer) };
    formatSlot(memory.words, layout);
    const writer = new RingWriter(memory, MAILBOX_LANE, 1, {
      ownerId: 1,
      lockPatienceMs: Infinity,
      epochMs: hrtimeMs(),
    });
    const mailbox = new Mailbox(memory.words);
    const push = (method: number, format: number) => {
      const payload = newPayload(8);
      payload.length = 8;
      payload.format = format;
      expect(writer.push(KIND_CAST, method, 0, 0, 0, payload)).toBe(PUSHED);
    };
    const { thread } = partition();
    push(1, FORMAT_MEMBER);
    const former = thread();
    const reader = new RingReader(memory, MAILBOX_LANE, newPayload(64));
    expect(reader.next()).toBe(true);
    const seq = reader.header[R_SEQ];
    // Before it was on the heap.
    expect(mailbox.recover()).toBeUndefined();
    const again = new RingReader(memory, MAILBOX_LANE, newPayload(64));
    expect(again.next()).toBe(true);
    expect(again.header[R_SEQ]).toBe(seq);
    expect(former.mailboxes.hasArrived(seq)).toBe(false);
    // And when it ends after that, the next one knows.
    former.mailboxes.put(former.cell, message(8), seq);
    expect(thread().mailboxes.hasArrived(seq)).toBe(true);
    // One that ends each thread is lost in the end; a partition's own message at once.
    expect(mailbox.recover()).toMatchObject({ attempts: 2 });
    push(2, 0);
    const last = new RingReader(memory, MAILBOX_LANE, newPayload(64));
    expect(last.next()).toBe(true);
    expect(mailbox.recover()).toMatchObject({ attempts: 1 });
  });
});
