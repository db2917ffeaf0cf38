import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { KINDS } from "../support/modes.js";
import { fixture } from "../support/system.js";
import { heldWorker } from "./held-worker.js";

describe.each(KINDS)("%s", (mode) => {
  // Promise: messages-sender-receiver-handled
  test("[cast] messages of one sender are handled in the order they were sent", async () => {
    const { log, gate, worker } = await heldWorker(mode);
    const sent = Array.from({ length: 500 }, (_, i) => i);
    for (const entry of sent) await worker.cast("take", entry);
    await gate.cast("open");
    expect(await log.call("untilCount", 500)).toEqual(sent);
  });

  // Promise: mailbox-bounded-messages-bytes
  test("a full mailbox answers tryCast with full, and ok again when there is room", async () => {
    const { log, gate, worker } = await heldWorker(mode, { mailbox: { capacity: 4 } });
    const answers = Array.from({ length: 6 }, (_, i) => worker.tryCast("take", i));
    expect(answers).toEqual(["ok", "ok", "ok", "ok", "full", "full"]);
    await gate.cast("open");
    await log.call("untilCount", 4);
    expect(worker.tryCast("take", 6)).toBe("ok");
  });

  // Promise: mailbox-bounded-messages-bytes
  test("a mailbox is full by bytes too", async () => {
    const { worker } = await heldWorker(mode, { mailbox: { capacityBytes: 4096 } });
    const kilobyte = new Uint8Array(900);
    expect(worker.tryCast("take", kilobyte)).toBe("ok");
    expect(worker.tryCast("take", kilobyte)).toBe("ok");
    expect(worker.tryCast("take", kilobyte)).toBe("ok");
    expect(["ok", "full"]).toContain(worker.tryCast("take", kilobyte));
    expect(worker.tryCast("take", kilobyte)).toBe("full");
  });

  test("under drop_oldest, a call that is dropped rejects with ERR_MAILBOX_FULL", async () => {
    const { worker } = await heldWorker(mode, { mailbox: { capacity: 1, overflow: "drop_oldest" } });
    const call = worker.call("ready").catch((e: unknown) => e);
    await worker.cast("take", 1);
    expect(await call).toMatchObject({ code: "ERR_MAILBOX_FULL" });
  });

  // Promise: full-mailbox-makes-senders
  test("under block, casts from main wait in order without blocking its event loop", async () => {
    const { log, gate, worker } = await heldWorker(mode, { mailbox: { capacity: 2 } });
    let accepted = 0;
    const casts = Array.from({ length: 20 }, (_, i) => worker.cast("take", i).then(() => accepted++));
    await eventually(() => accepted === 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toBe(2);
    await gate.cast("open");
    await Promise.all(casts);
    expect(await log.call("untilCount", 20)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test("under block, a cast from main rejects with ERR_MAILBOX_FULL after blockTimeoutMs", async () => {
    const { worker } = await heldWorker(mode, { mailbox: { capacity: 1, blockTimeoutMs: 50 } });
    await worker.cast("take", 0);
    const before = performance.now();
    expect(await worker.cast("take", 1).catch((e: unknown) => e)).toMatchObject({ code: "ERR_MAILBOX_FULL" });
    expect(performance.now() - before).toBeGreaterThanOrEqual(49);
  });

  test("under block, an actor waits for room and loses nothing", async () => {
    const { system, log, gate, worker } = await heldWorker(mode, { mailbox: { capacity: 2 } });
    const talker = await system.startChild({ id: "talker", actor: fixture("talker") });
    const counted = talker.call("count", worker, 50);
    await eventually(() => system.stats(worker).mailbox.length === 2);
    await gate.cast("open");
    await counted;
    expect(await log.call("untilCount", 50)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(system.stats(worker).mailbox.blockedMs).toBeGreaterThanOrEqual(0);
  });

  // Promise: full-mailbox-makes-senders
  test("under reject, a cast to a full mailbox rejects at once", async () => {
    const { worker } = await heldWorker(mode, { mailbox: { capacity: 1, overflow: "reject" } });
    await worker.cast("take", 0);
    expect(await worker.cast("take", 1).catch((e: unknown) => e)).toMatchObject({ code: "ERR_MAILBOX_FULL" });
    expect(await worker.call("ready").catch((e: unknown) => e)).toMatchObject({ code: "ERR_MAILBOX_FULL" });
  });
});
