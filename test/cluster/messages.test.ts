import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef, ActorStats } from "@mini-otp/runtime";
import { isActorError, isReplyError, pool, router } from "@mini-otp/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type Worker from "./fixtures/worker.actor.js";
import { STEADY } from "./steady.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
let nodes: TestCluster;
let started = 0;

beforeAll(async () => {
  nodes = await testCluster({ nodes: 2, window: { messages: 256 }, ...STEADY });
});
afterAll(() => nodes[Symbol.asyncDispose]());

/** An actor of node b, and node a's reference to it. */
async function remote(spec: object = {}): Promise<{ here: ActorRef<typeof Worker>; there: ActorRef<typeof Worker> }> {
  const name = `worker-${++started}`;
  const b = nodes.node("b");
  const there = (await b.system.startChild({ id: name, actor: WORKER, ...spec })) as ActorRef<typeof Worker>;
  await b.cluster.register(name, there);
  const here = await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>(name));
  return { here, there };
}

async function local(): Promise<ActorRef<typeof Worker>> {
  return nodes.node("a").system.startChild({ id: `local-${++started}`, actor: WORKER });
}

describe("messages to an actor of another node", () => {
  it("a call is answered, and its reference says where the actor is", async () => {
    const { here } = await remote();
    expect(here.id).toMatch(/^b:root\/worker-/);
    expect(await here.call("echo", { of: [1, "two", null] })).toEqual({ of: [1, "two", null] });
    expect(await here.proxy().echo("by proxy")).toBe("by proxy");
  });

  it("1. messages of one sender are handled in the order they were sent, large ones among them", async () => {
    const { here, there } = await remote();
    const large = "x".repeat(700_000);
    const sent = Array.from({ length: 400 }, (_, i) => (i % 50 === 7 ? `${i} ${large}` : `${i}`));
    await Promise.all(sent.map((value) => here.cast("note", value)));
    await until("all of them", async () => (await here.call("count")) === sent.length);
    const noted = (await there.call("noted")) as string[];
    expect(noted.map((value) => value.split(" ")[0])).toEqual(sent.map((_, i) => `${i}`));
    expect(noted[57]).toBe(sent[57]);
  });

  it("1. as that, of an actor's thread", async () => {
    const { here, there } = await remote();
    const sender = await local();
    await sender.with({ timeoutMs: 20_000 }).call("casts", here, 0, 5000);
    await until("all of them", async () => (await here.call("count")) === 5000);
    expect(await there.call("noted")).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  });

  it("1. a call that waits for room in its mailbox is not passed by what was sent after it", async () => {
    const latch = new Int32Array(new SharedArrayBuffer(4));
    const { here, there } = await remote({ args: { latch }, mailbox: { capacity: 2 } });
    await here.cast("wait");
    const sent = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? here.cast("note", i) : here.call("note", i)));
    Atomics.store(latch, 0, 1);
    Atomics.notify(latch, 0);
    await Promise.all(sent);
    await until("all", async () => (await there.call("count")) === 60);
    expect(await there.call("noted")).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it("6. a call settles with the handler's ReplyError, its data and code", async () => {
    const { here } = await remote();
    const error = await here.call("refuse").catch((failure: unknown) => failure);
    expect(isReplyError(error)).toBe(true);
    expect(error).toMatchObject({ message: "not today", code: "CLOSED", data: { until: 7 } });
  });

  it("6. a call settles with the callee's exit reason, and its timeout, and what the actor does not know", async () => {
    const { here } = await remote();
    await expect(here.call("crash")).rejects.toMatchObject({
      code: "ERR_CALL_EXIT",
      id: here.id,
      reason: { kind: "error", error: { message: "a crash on demand" } },
    });
    const { here: busy } = await remote();
    await expect(busy.with({ timeoutMs: 30 }).call("untilAborted")).rejects.toMatchObject({ code: "ERR_CALL_TIMEOUT" });
    await expect((here as ActorRef).call("nothing")).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD", id: here.id });
  });

  it("6. a call of an actor that is gone for good is refused with ERR_NOPROC", async () => {
    const { here, there } = await remote({ restart: "temporary" });
    await there.call("stop");
    await until("noproc", () =>
      here.call("echo", 1).then(
        () => false,
        (error) => isActorError(error, "ERR_NOPROC"),
      ),
    );
  });

  it("6. a call of a method with a name that no frame can have is refused as any that the actor does not know", async () => {
    const { here } = await remote();
    for (const length of [16_384, 40_000, 70_000]) {
      await expect((here as ActorRef).call("x".repeat(length))).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
    }
    expect(await here.call("echo", "goes on")).toBe("goes on");
  });

  it("8. an aborted remote call aborts the handler's ctx.signal", async () => {
    const { here, there } = await remote();
    const abort = new AbortController();
    const call = here.with({ signal: abort.signal }).call("untilAborted");
    await until("the call's arrival", () => (there.stats() as ActorStats).handling !== null);
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });
    await until("the handler's end", async () => ((await there.call("noted")) as string[]).includes("aborted"));
  });

  it("8. a call that was aborted before it left is not made", async () => {
    const { here, there } = await remote();
    const abort = new AbortController();
    const call = here.with({ signal: abort.signal }).call("note", "given up");
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });
    await here.call("note", "not given up");
    expect(await there.call("noted")).toEqual(["not given up"]);
  });

  it("9. what waits for a crashed remote actor is handled by its next incarnation, as locally", async () => {
    const { here } = await remote();
    await here.cast("crash");
    const answers = await Promise.all([here.call("incarnation"), here.call("incarnation")]);
    expect(answers).toEqual([2, 2]);
  });

  it("10. callSync and castSync work, from an actor's thread", async () => {
    const { here, there } = await remote();
    const sender = await local();
    expect(await sender.call("callSync", here, "echo", { deep: [here] })).toEqual({ deep: [expect.anything()] });
    await sender.call("castSync", here, "note", "sync");
    await until("the cast", async () => (await there.call("count")) === 1);
  });

  it("11. a circle of synchronous calls over nodes is not detected: it ends at its timeouts, and both actors go on", async () => {
    const { here } = await remote();
    const caller = await local();
    expect(await caller.call("circle", here, 200, 2)).toBe("ERR_CALL_TIMEOUT");
    expect(await caller.call("circle", here, 5000, 1)).toBe("the end of it");
    expect(await here.call("echo", 1)).toBe(1);
  });

  it("12. a router crosses as a reference to it, and a key's reference keeps its key", async () => {
    const { system } = nodes.node("b");
    const id = `router-${++started}`;
    const ref = await system.startChild(router({ id, size: 3, route: "round_robin", actor: WORKER }));
    await nodes.node("b").cluster.register(id, ref as ActorRef);
    const far = await until("the router", () => nodes.node("a").cluster.whereis(id));
    const self = (await far.call("self")) as ActorRef;
    expect(self.id).toMatch(new RegExp(`^b:root/${id}/`));
  });

  it("12. what stays in its process is not cloneable, with its path, and costs the actor nothing", async () => {
    const { here } = await remote();
    const to = here as ActorRef;
    const { system } = nodes.node("a");
    const { port1 } = new MessageChannel();
    const tasks = await system.startChild(
      pool({ id: `pool-${++started}`, filename: new URL("./fixtures/task.js", import.meta.url) } as never),
    );
    const shared = new SharedArrayBuffer(8);
    for (const [value, path] of [
      [{ a: [tasks] }, "args[0].a[0]"],
      [{ a: shared }, "args[0].a"],
      [{ a: port1 }, "args[0].a"],
    ] as const) {
      await expect(to.call("echo", value)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path });
      await expect(to.cast("note", value)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path });
      expect(() => to.tryCast("note", value)).toThrow(path);
    }
    expect(await to.call("echo", 1)).toBe(1);
    port1.close();
  });

  it("12. a transferred ArrayBuffer is gone here and arrives as bytes", async () => {
    const { here } = await remote();
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    const echoed = (await here.with({ transfer: [buffer] }).call("echo", { buffer })) as { buffer: ArrayBuffer };
    expect(buffer.byteLength).toBe(0);
    expect(new Uint8Array(echoed.buffer)).toEqual(new Uint8Array([1, 2, 3]));
  });

  it("13. a reference that comes home is the local one", async () => {
    const { here, there } = await remote();
    const own = await local();
    const back = (await here.call("echo", own)) as ActorRef;
    expect([back.uid, back.address, back.id]).toEqual([own.uid, own.address, own.id]);
    const theirs = (await there.call("self")) as ActorRef;
    const far = (await here.call("self")) as ActorRef;
    expect(far.uid).toBe(here.uid);
    expect(theirs.id).toBe(there.id);
  });

  it("18. a message over maxMessageBytes is ERR_MESSAGE_TOO_LARGE at its sender, and one below it goes in pieces", async () => {
    const { here } = await remote();
    const bytes = new Uint8Array(8 * 2 ** 20 - 1024).fill(7);
    const echoed = (await here.call("echo", bytes)) as Uint8Array;
    expect(Buffer.compare(echoed, bytes)).toBe(0);
    await expect(here.call("echo", new Uint8Array(8 * 2 ** 20 + 1))).rejects.toMatchObject({
      code: "ERR_MESSAGE_TOO_LARGE",
      limit: 8 * 2 ** 20,
    });
  });
});

describe("back-pressure", () => {
  it("4, 14. a full remote mailbox makes the sender's proxy fill: cast waits, tryCast says full", async () => {
    const latch = new Int32Array(new SharedArrayBuffer(4));
    const { here, there } = await remote({ args: { latch }, mailbox: { capacity: 64 }, handlerTimeoutMs: 30_000 });
    void there.cast("wait");
    let accepted = 0;
    let outcome = "ok";
    while (outcome === "ok" && accepted < 100_000) {
      outcome = here.tryCast("note", accepted);
      if (outcome === "ok") accepted++;
      if (accepted % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(outcome).toBe("full");
    // The mailbox, the window, and what a ring of 64 KiB holds of such records.
    expect(accepted).toBeLessThan(64 + 256 + (64 * 1024) / 32 + 100);
    let waited = true;
    const cast = here.cast("note", accepted).then(() => {
      waited = false;
    });
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(waited).toBe(true);
    Atomics.store(latch, 0, 1);
    Atomics.notify(latch, 0);
    await cast;
    await until("all of them", async () => (await there.call("count")) === accepted + 1);
    expect(await there.call("noted")).toEqual(Array.from({ length: accepted + 1 }, (_, i) => i));
  });

  it("15. one remote actor that does not read holds up no other on its node", async () => {
    const latch = new Int32Array(new SharedArrayBuffer(4));
    const stuck = await remote({ args: { latch }, mailbox: { capacity: 16 }, handlerTimeoutMs: 30_000 });
    const other = await remote();
    void stuck.there.cast("wait");
    let full = 0;
    for (let i = 0; i < 20_000 && full < 3; i++) {
      if (stuck.here.tryCast("note", i) === "full") full++;
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await other.here.call("echo", "free")).toBe("free");
    Atomics.store(latch, 0, 1);
    Atomics.notify(latch, 0);
  });

  it("16. a refused cast is the receiver's dead letter, a refused call rejects", async () => {
    const latch = new Int32Array(new SharedArrayBuffer(4));
    const { here, there } = await remote({
      args: { latch },
      mailbox: { capacity: 4, overflow: "reject" },
      handlerTimeoutMs: 30_000,
    });
    const letters: string[] = [];
    const off = nodes.node("b").system.on("dead_letter", ({ method, why }) => letters.push(`${method} ${why}`));
    void there.cast("wait");
    // Else it would take that one after the notes have come, and have room for the call.
    await until("its handler", () => there.stats().handling?.method === "wait");
    for (let i = 0; i < 12; i++) await here.cast("note", i);
    await until("dead letters", () => letters.length >= 7);
    await expect(here.call("echo", 1)).rejects.toMatchObject({ code: "ERR_MAILBOX_FULL" });
    expect(new Set(letters)).toEqual(new Set(["note dropped"]));
    off();
    Atomics.store(latch, 0, 1);
    Atomics.notify(latch, 0);
  });

  it("17. replies wait for no window", async () => {
    const { here } = await remote();
    const own = await local();
    // More than a window's worth of replies, of calls that go back and forth at once.
    const answers = await Promise.all(
      Array.from({ length: 600 }, (_, i) => here.with({ timeoutMs: 20_000 }).call("call", own, "echo", i)),
    );
    expect(answers).toEqual(Array.from({ length: 600 }, (_, i) => i));
  });
});
