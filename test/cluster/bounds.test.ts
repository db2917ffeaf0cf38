import { type ActorRef, router } from "@mini-otp/runtime";
import type { Guests } from "@mini-otp/runtime/guests";
import { PoolRef } from "@mini-otp/worker-host/protocol/refs";
import { newPayload } from "@mini-otp/worker-host/protocol/ring";
import { Codec } from "@mini-otp/worker-host/protocol/values";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Arrivals } from "#cluster/children/arrivals.js";
import { type Delivered, type Delivery, Door } from "#cluster/children/door.js";
import { Owners } from "#cluster/children/owners.js";
import { Sending, WINDOW } from "#cluster/children/sending.js";
import type { Cluster } from "#cluster/cluster/cluster.js";
import type { Bucket } from "#cluster/engine/engine.js";
import { MemoryHub } from "#cluster/engine/memory-engine.js";
import { type Lane, Lanes } from "#cluster/gateway/lanes.js";
import { Outgoing, Pieces } from "#cluster/gateway/outgoing.js";
import { MAX_LINKS, PeerLinks } from "#cluster/gateway/peer-links.js";
import { CALL, CAST, FRAGMENT, GROUP, readRecords, record, type WireRecord } from "#cluster/gateway/records.js";
import { RemoteActor } from "#cluster/gateway/remote-actor.js";
import { Groups } from "#cluster/groups/groups.js";
import { FRAME_HEADER_BYTES, HELLO, NACK, NO_BODY } from "#cluster/link/frame.js";
import { encodeHello } from "#cluster/link/hello.js";
import { type LinkAction, linkStep, newLink } from "#cluster/link/link.js";
import { fromGraph } from "#worker-host/protocol/values/graph-reader.js";
import type Worker from "./fixtures/worker.actor.js";
import { nodeOn } from "./node-on.js";
import { body, referenceArgs, Stranger } from "./stranger.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
const MIB = 1024 * 1024;
let hub: MemoryHub;

beforeEach(() => {
  hub = new MemoryHub();
});

const node = (name: string, options: object = {}) => nodeOn(hub, name, { heartbeatMs: 50, ...options });

/** Node a with an actor that others know, and a peer that sends what it likes. */
async function attacked(options: object = {}, spec: object = {}) {
  const { system, cluster } = await node("a", options);
  const own = (await system.startChild({ id: "own", actor: WORKER, ...spec })) as ActorRef<typeof Worker>;
  await cluster.register("own", own);
  const peer = new Stranger(hub);
  await until("a session", () => cluster.nodes().length === 1);
  return { system, cluster, own, peer };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const events = (cluster: Cluster): string[] => {
  const seen: string[] = [];
  cluster.on("node_down", ({ node: of, why }) => seen.push(`down ${of} ${why}`));
  return seen;
};

describe("19, 49. what a peer makes a node keep has a bound", () => {
  it("answers that it asks for and never acknowledges: the connection to it ends", async () => {
    const { cluster, own, peer } = await attacked({ maxMessageBytes: 4 * MIB });
    const seen = events(cluster);
    const payload = Buffer.alloc(2 * MIB, 1);
    const echo = body([CALL, { target: own.uid, method: "echo", token: 1, format: 3, payload }]);
    for (let i = 0; seen.length === 0 && i < 200; i++) {
      peer.data(echo);
      await turn();
    }
    await until("the end", () => seen.includes("down x reset"));
    expect(await own.call("echo", 1)).toBe(1);
  });

  it("large records that do not come to their end: four of them, and what has come of them", () => {
    const pieces = new Pieces(8 * MIB);
    const piece = (token: number, at: number, bytes: number): Buffer | undefined | null =>
      pieces.add(record(FRAGMENT, { target: 8 * MIB, keyHash: at, token, payload: new Uint8Array(bytes) }));
    for (let token = 1; token <= 4; token++) expect(piece(token, 0, 10)).toBeUndefined();
    for (let token = 5; token <= 1000; token++) expect(piece(token, 0, 10)).toBeNull();
    expect(pieces.bytes).toBeLessThanOrEqual(4 * 64 * 1024);
    expect(piece(1, 10, 100_000)).toBeUndefined();
    expect(pieces.bytes).toBeLessThan(3 * 64 * 1024 + 250_000);
    expect(piece(1, 7, 10)).toBeNull();
    expect(
      pieces.add(record(FRAGMENT, { target: 8 * MIB + 1, keyHash: 0, token: 1, payload: new Uint8Array(9) })),
    ).toBeNull();
  });

  it("and a sender begins no more of them than a receiver takes, and all arrive, small ones between them", () => {
    const pieces = new Pieces(MIB);
    const whole: number[] = [];
    const take = (taken: WireRecord): void => {
      if (taken.op !== FRAGMENT) return void whole.push(-taken.token);
      const found = pieces.add(taken);
      if (found === null) throw new Error("too many at a time");
      if (found !== undefined) readRecords(found, ({ token }) => void whole.push(token));
    };
    let room = false;
    const outgoing = new Outgoing(
      64 * 1024,
      (frame) => readRecords(frame.subarray(FRAME_HEADER_BYTES), take),
      () => room,
    );
    const gone: number[] = [];
    for (let token = 1; token <= 20; token++) {
      outgoing.add(record(CAST, { token, payload: new Uint8Array(300_000) }), () => gone.push(token));
    }
    expect(outgoing.waitingBytes).toBeGreaterThan(20 * 300_000);
    room = true;
    outgoing.add(record(CAST, { token: 21 }));
    outgoing.pump();
    expect(whole[0]).toBe(-21);
    expect(whole.slice(1).sort((one, other) => one - other)).toEqual(gone.sort((one, other) => one - other));
    expect(gone).toHaveLength(20);
    expect(outgoing.waitingBytes).toBe(0);
  });

  it("messages to an actor that takes none: twice the window of this node, and an own sender's are not in it", async () => {
    const window = { messages: 128, bytes: 64 * 1024 };
    const latch = new Int32Array(new SharedArrayBuffer(4));
    const { system, cluster, own, peer } = await attacked(
      { window, maxMessageBytes: 4096 },
      { mailbox: { capacity: 16, blockTimeoutMs: 60_000 }, args: { latch } },
    );
    const dropped: string[] = [];
    system.on("dead_letter", ({ why }) => dropped.push(why));
    const waiting = own.call("wait");
    for (let i = 0; i < 2000; i++) {
      peer.data(body([CAST, { target: own.uid, method: "note", format: 3, payload: Buffer.alloc(8, i) }]));
      if (i % 100 === 0) await turn();
    }
    await until("all", () => cluster.meters.read().links[0].records.in === 2000);
    expect(dropped.length).toBeGreaterThan(1700);
    Atomics.store(latch, 0, 1);
    Atomics.notify(latch, 0);
    await waiting;
    await until("those that were taken", async () => (await own.call("count")) + dropped.length === 2000);
    expect(await own.call("count")).toBeLessThanOrEqual(2 * 128 + 16 + 2);
    expect(new Set(dropped)).toEqual(new Set(["dropped"]));
  });

  it("calls of a session that is over, whose numbers are other calls' in the next, and keys of routers", () => {
    const lanes = new Lanes({ messageBytes: 1024, windowMessages: 2, windowBytes: 1024 });
    const lane = lanes.open(7, 7, undefined) as Lane;
    lane.busy = true;
    for (const [op, token] of [
      [CALL, 1],
      [CAST, 0],
      [CALL, 2],
      [CAST, 0],
    ]) {
      expect(lanes.wait(lane, record(op, { target: 7, token, payload: new Uint8Array(100) }))).toBe(true);
    }
    expect(lanes.wait(lane, record(CAST, { target: 7 }))).toBe(false);
    lanes.disconnected();
    expect([lanes.next(lane)?.op, lanes.next(lane)?.op, lanes.next(lane), lane.queuedBytes]).toEqual([
      CAST,
      CAST,
      undefined,
      0,
    ]);
    let opened = 0;
    while (lanes.open(`8/${opened}`, 8, opened) !== undefined) opened++;
    expect(opened).toBe(16_384);
    lanes.forget(lanes.get("8/5") as Lane);
    expect(lanes.open("8/5", 8, 5)).toBeDefined();
  });

  it("links between its actors and this node's", () => {
    const gone = new Set<number>();
    const links = new PeerLinks(({ partner }) => !gone.has(partner.uid));
    const link = (uid: number, target: number) => ({ partner: { uid } as ActorRef, target, keyHash: undefined });
    for (let i = 0; i < MAX_LINKS; i++) expect(links.add(link(i % 64, i), 0)).toBe(true);
    expect(links.add(link(1, MAX_LINKS), 0)).toBe(false);
    expect(links.add(link(1, 1), 0)).toBe(true);
    links.remove(link(1, 1));
    expect([links.add(link(7, MAX_LINKS), 0), links.add(link(8, MAX_LINKS), 0)]).toEqual([true, false]);
    // Those that have ended make room, and are looked for once a second.
    gone.add(3);
    expect(links.add(link(8, MAX_LINKS), 999)).toBe(false);
    expect(links.add(link(8, MAX_LINKS), 1_000)).toBe(true);
    expect(links.size).toBe(MAX_LINKS - MAX_LINKS / 64 + 1);
    links.clear();
    expect(links.size).toBe(0);
  });

  it("names of groups and members of them", async () => {
    const { cluster, peer } = await attacked();
    const group = (name: string, joined: unknown[], left: unknown[] = []) => {
      const { format, bytes, length } = new Codec(undefined as never).encodeValue([name, joined, left]);
      return body([GROUP, { format, payload: bytes.slice(0, length) }]);
    };
    const member = ["x", "x1", 7, "root/it"];
    for (let i = 0; i < 2000; i++) peer.data(group(`empty-${i}`, []));
    peer.data(group("x".repeat(129), [member]));
    peer.data(group("another's", [["b", "b1", 7, "root/it"]]));
    peer.data(group("workers", [member, member]));
    const workers = cluster.group("workers");
    await until("its members", () => workers.members().length === 2);
    expect(cluster.group("another's").members()).toEqual([]);
    peer.data(group("workers", [], [member, member, member]));
    await until("none", () => workers.members().length === 0);

    const groups = new Groups({
      node: "a",
      monitor: () => () => {},
      checkOwn: (_what, ref) => ref,
      toWire: () => [],
      tell: () => {},
      globalName: ({ id }) => id,
      failed: () => {},
    });
    const many = Array.from({ length: 1000 }, (_, i) => ({ key: `${i}`, ref: { id: "it", uid: i } as ActorRef }));
    const taken = Array.from({ length: 200 }, (_, i) => groups.changed("x", `group-${i}`, many, []));
    expect(taken.filter((isTaken) => isTaken)).toHaveLength(100);
    expect(groups.size).toBe(100);
    for (let i = 0; i < 1000; i++) groups.changed("x", `left-${i}`, [], ["7"]);
    groups.changed(
      "x",
      "group-0",
      [],
      many.map(({ key }) => key),
    );
    expect(groups.size).toBe(99);
    expect(groups.changed("x", "group-0", many, [])).toBe(true);
    groups.nodeDown("x");
    expect(groups.size).toBe(0);
    const off = groups.group("looked at").onChange(() => {});
    expect(groups.size).toBe(1);
    off();
    expect(groups.group("looked at").members()).toEqual([]);
    expect(groups.size).toBe(0);
  });

  it("singletons and shards whose names it makes up", async () => {
    const { own, peer, cluster } = await attacked({ maxReferences: 50 });
    const mine = cluster.singleton("mine");
    const hex = (name: string): string => Buffer.from(name).toString("hex");
    for (let i = 0; i < 300; i++) {
      const name = i % 2 === 0 ? `one.${hex(`up-${i}`)}` : `shard.${hex(`up-${i}`)}.3#key`;
      peer.data(body([CAST, { target: own.uid, method: "note", ...referenceArgs(["x", "x1", 0, name]) }]));
    }
    peer.data(
      body([CAST, { target: own.uid, method: "note", ...referenceArgs(["x", "x1", 0, `one.${hex("mine")}`]) }]),
    );
    await until("all", async () => (await own.call("count")) === 301);
    const refs = (await own.call("noted")) as ActorRef[];
    const addresses = new Set(refs.map(({ uid }) => uid));
    expect(addresses.size).toBeLessThanOrEqual(51);
    expect(refs.at(-1)?.uid).toBe(mine.uid);
    await expect(refs[200].call("of")).rejects.toMatchObject({ code: "ERR_NOPROC" });
  });

  it("names of nodes under which it greets", async () => {
    const { cluster } = await attacked();
    const strangers = new Map<string, Stranger>();
    const names = (): string[] => cluster.nodes().map((one) => one.node);
    for (let i = 0; names().length < 256; i++) {
      const name = `made-up-${i}`;
      strangers.set(name, new Stranger(hub, name));
      await until("a session", () => names().includes(name));
    }
    const beyond = new Stranger(hub, "beyond");
    for (let turns = 0; turns < 50; turns++) await turn();
    expect(names()).toHaveLength(256);
    expect(beyond.peerEpoch).toBe(0);
    strangers.get("made-up-7")?.bye();
    await until("room", () => names().length === 255);
    new Stranger(hub, "another");
    await until("another", () => names().includes("another"));
  });

  it("what it delivers to a singleton whose mailbox is full: as much as a node may have under way", async () => {
    const guests = { blocks: () => true } as unknown as Guests;
    let room = (): void => {};
    const full = new Promise<void>((resolve) => {
      room = resolve;
    });
    const ref = { id: "root/it", tryCast: () => "full", cast: () => full } as unknown as ActorRef;
    const door = new Door(guests, ref, "1.1");
    const delivery = (number: number): Delivery => ({
      generation: "1.1",
      run: 1,
      number,
      kind: "cast",
      method: "note",
      args: [],
    });
    const from = { node: "b", incarnation: "1" };
    const never = new AbortController().signal;
    const answers: Promise<Delivered>[] = [];
    // The first is on its way into the mailbox.
    for (let number = 1; number <= WINDOW + 2; number++) answers.push(door.deliver(from, delivery(number), never));
    expect(await answers[WINDOW + 1]).toEqual(["refused", 0, false]);
    // Another's come in all the same.
    const other = door.deliver({ node: "c", incarnation: "1" }, delivery(1), never);
    room();
    expect(await Promise.all([answers[0], other])).toEqual([["taken"], ["taken"]]);
    door.close();
  });

  it("at a door, nodes that have sent to it and are gone", () => {
    const arrivals = new Arrivals();
    const first = arrivals.comesIn("pod", "1", 3, 1);
    expect(first).toBeDefined();
    arrivals.forget("pod");
    // What came before is handled; what comes in the same run after it is refused, and is sent again in another.
    expect(arrivals.mayBeTaken("pod", first as never, 1)).toBe(true);
    expect(arrivals.comesIn("pod", "1", 3, 2)).toBeUndefined();
    expect(arrivals.refused("pod", 3, 2)).toBe(0);
    expect(arrivals.comesIn("pod", "1", 4, 1)).toBeDefined();
    expect(arrivals.mayBeTaken("pod", first as never, 1)).toBe(false);
  });

  it("and a sender of large ones stops at their bytes", () => {
    const sending = new Sending<number>((bytes) => bytes);
    let taken = 0;
    for (; sending.hasRoom("1.1"); taken++) {
      sending.add(MIB);
      sending.next("1.1");
    }
    expect(taken).toBe(16);
  });

  it("frames that it asks for again and again, and sessions that it begins anew", () => {
    const hello = { incarnation: "x1", startedAt: 1, oldest: 1, newest: 1 };
    const link = newLink({ ...hello, incarnation: "a1" }, 10);
    const frame = (type: 2 | 4, from: number, to: number): LinkAction[] =>
      linkStep(
        link,
        {
          type: "frame",
          frame: { type, from, to, seq: 0, ack: 0, body: type === HELLO ? encodeHello(hello) : NO_BODY },
        },
        now,
      );
    let now = 0;
    frame(HELLO, 77, 0);
    frame(HELLO, 77, link.epoch);
    expect(link.phase).toBe("up");
    for (let i = 0; i < 50; i++) linkStep(link, { type: "data", body: new Uint8Array(1000) }, now);
    for (now = 1; now <= 1000; now++) frame(NACK, 77, link.epoch);
    expect(link.resent).toBeLessThanOrEqual(50 * 10);
    let ends = 0;
    for (let epoch = 78; epoch < 1078; epoch++, now++) {
      for (const { type } of [...frame(HELLO, epoch, 0), ...frame(HELLO, epoch, link.epoch)])
        if (type === "down") ends++;
    }
    expect(ends).toBeLessThanOrEqual(6);
  });

  it("memory for values that it only says are large, and objects of another thread or process", () => {
    const before = process.memoryUsage().heapUsed;
    const lengths = Array.from({ length: 50 }, () => ["s", 29_700_000, 7, 1]);
    const arrays = fromGraph([[1], ["a", ...lengths.map((_, i) => [i + 2])], ...lengths], [], [], true) as unknown[][];
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * MIB);
    expect(arrays).toHaveLength(50);
    expect([arrays[0].length, arrays[0][7], 8 in arrays[0]]).toEqual([29_700_000, 1, false]);
    for (const node of [
      ["s", 2 ** 32],
      ["s", -1],
      ["h", "proxy", 1],
      ["b", new Uint8Array(1), 2 ** 40],
    ]) {
      expect(() => fromGraph([[1], node], [], [], true)).toThrow();
    }
    // Of this process they are what they are.
    expect((fromGraph([[1], ["b", new Uint8Array(1), 2 ** 31]]) as { maxByteLength?: number }).maxByteLength).toBe(
      2 ** 31,
    );
    const pool = new PoolRef(undefined as never, 3, "root/pool");
    const { bytes, length, format } = new Codec(undefined as never).encodeArgs([pool]);
    const codec = new Codec(undefined as never, { exported: () => [], imported: () => undefined as never });
    const payload = { ...newPayload(length), bytes: bytes.slice(0, length), length, format };
    expect(() => codec.decodeArgs(payload)).toThrow("a pool");
  });
});

describe("what is larger than one of two nodes takes", () => {
  it("18. fails with ERR_MESSAGE_TOO_LARGE, whichever of them it is: messages, replies, failures and ends", async () => {
    const [a, b] = [await node("a", { maxMessageBytes: MIB }), await node("b", { maxMessageBytes: 64 * 1024 })];
    const own = (await a.system.startChild({ id: "own", actor: WORKER })) as ActorRef<typeof Worker>;
    const there = (await b.system.startChild({ id: "there", actor: WORKER })) as ActorRef<typeof Worker>;
    await b.cluster.register("there", there);
    const far = await until("the name", () => a.cluster.whereis<typeof Worker>("there"));
    await until("the node", () => a.cluster.nodes().length === 1);
    const tooLarge = { code: "ERR_MESSAGE_TOO_LARGE", limit: 64 * 1024 };
    // It is over the limit of b only, which a has been told.
    await expect(far.call("echo", "x".repeat(100_000))).rejects.toMatchObject(tooLarge);
    await expect(far.cast("note", "x".repeat(100_000))).rejects.toMatchObject(tooLarge);
    expect(await far.call("echo", "x".repeat(30_000))).toHaveLength(30_000);
    // Small questions, large answers.
    for (let i = 0; i < 4; i++) await far.cast("note", "x".repeat(30_000));
    await expect(far.call("noted")).rejects.toMatchObject(tooLarge);
    await expect(far.call("fails", 100_000)).rejects.toMatchObject(tooLarge);
    await own.call("monitor", far);
    await far.cast("fails", 100_000);
    const down = await until("DOWN", async () => ((await own.call("infos")) as { reason: unknown }[])[0]);
    expect(down.reason).toMatchObject({ kind: "error", error: tooLarge });
    expect(await far.call("echo", "goes on")).toBe("goes on");
  });
});

describe("what one event makes a node do does not grow with what it knows", () => {
  it("a change of one key is told to those that look at it", async () => {
    let change: Parameters<Bucket["watch"]>[0] = () => {};
    const bucket = {
      list: async () => [],
      watch: (given: typeof change) => {
        change = given;
      },
    };
    const ownership = { owner: { node: "a" } };
    const owners = new Owners(bucket as unknown as Bucket, ownership as never, () => undefined as never);
    await owners.start();
    const told: string[] = [];
    for (let i = 0; i < 1000; i++) owners.onChange(`one.${i}`, () => told.push(`one.${i}`));
    const off = owners.onChangeOf("shard.7.", () => told.push("shard.7."));
    change("one.7", undefined);
    change("shard.7.3", undefined);
    change("shard.70.3", undefined);
    expect(told).toEqual(["one.7", "shard.7."]);
    off();
    owners.tell();
    expect(told).toHaveLength(1002);
  });

  it("room on a link wakes what waits for it, and not all that stands for actors of that node", async () => {
    const [a, b] = [await node("a"), await node("b")];
    const there = (await b.system.startChild({ id: "there", actor: WORKER })) as ActorRef<typeof Worker>;
    const own = (await a.system.startChild({ id: "own", actor: WORKER })) as ActorRef<typeof Worker>;
    await b.cluster.register("there", there);
    await a.cluster.register("own", own);
    const far = await until("the name", () => a.cluster.whereis<typeof Worker>("there"));
    const back = await until("the name", () => b.cluster.whereis<typeof Worker>("own"));
    await until("the node", () => b.cluster.nodes().length === 1);
    // References to the members of a router, each of which stands for itself.
    const crew = await b.system.startChild(router({ id: "crew", actor: WORKER, size: 2, route: "consistent_hash" }));
    for (let key = 0; key < 300; key++) await back.cast("note", crew.forKey(`${key}`) as ActorRef);
    await until("all", async () => (await own.call("count")) === 300);
    expect(a.cluster.stats().proxies).toBeGreaterThan(300);
    const woken = vi.spyOn(RemoteActor.prototype, "wake");
    hub.setConnected("a", false);
    const cast = far.cast("note", 1);
    hub.setConnected("a", true);
    await cast;
    await until("it", async () => (await there.call("count")) === 1);
    const others = woken.mock.contexts.filter((proxy) => (proxy as RemoteActor).id !== "b:root/there");
    woken.mockRestore();
    expect(others).toEqual([]);
  });
});
