import type { ActorRef } from "@mini-otp/runtime";
import { beforeEach, describe, expect, it } from "vitest";
import type { Cluster } from "#cluster/cluster/cluster.js";
import { MemoryHub } from "#cluster/engine/memory-engine.js";
import { KEPT_AFTER_LEAVING_MS, type MaybeAway, MOST_AWAY, toForget } from "#cluster/gateway/away.js";
import type Worker from "./fixtures/worker.actor.js";
import { nodeOn } from "./node-on.js";
import { body, referenceArgs, Stranger } from "./stranger.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
let hub: MemoryHub;

beforeEach(() => {
  hub = new MemoryHub();
});

const node = (name: string, options: object = {}) =>
  nodeOn(hub, name, { heartbeatMs: 50, goneAfterMs: 200, ...options });

const namesOf = (cluster: Cluster): string[] => cluster.nodes().map((one) => one.node);
const linksOf = (cluster: Cluster): number => cluster.meters.read().links.length;

/** Strangers that come and say good-bye, each after the other. */
async function comeAndGo(cluster: Cluster, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const stranger = new Stranger(hub, name);
    await until(`it ${name}`, () => namesOf(cluster).includes(name));
    stranger.bye();
    await until(`the end of ${name}`, () => !namesOf(cluster).includes(name));
  }
}

describe("what is kept of nodes that are away", () => {
  const peer = (of: Partial<MaybeAway>): MaybeAway => ({
    isUp: false,
    hasLeft: false,
    awaySince: 0,
    proxies: 0,
    ...of,
  });

  it("ends a minute after a node has left, and for others with the next that are too many, the longest away first", () => {
    const up = peer({ isUp: true, proxies: 1000 });
    const left = peer({ hasLeft: true, awaySince: 1000 });
    expect(toForget([up, left], 1000 + KEPT_AFTER_LEAVING_MS - 1, 100)).toEqual([]);
    expect(toForget([up, left], 1000 + KEPT_AFTER_LEAVING_MS, 100)).toEqual([left]);
    const silent = Array.from({ length: MOST_AWAY + 2 }, (_, i) => peer({ awaySince: i }));
    expect(toForget([up, ...silent], 1e9, 100)).toEqual([silent[1], silent[0]]);
    const large = [peer({ awaySince: 1, proxies: 60 }), peer({ awaySince: 2, proxies: 60 }), peer({ awaySince: 3 })];
    expect(toForget(large, 10, 100)).toEqual([large[0]]);
    // The one that is away for the shortest time is kept, whatever stands for it.
    expect(toForget([peer({ proxies: 1000 })], 10, 100)).toEqual([]);
  });

  it("is no more for many nodes that came and went than for some, and a node that was forgotten comes back", async () => {
    const { system, cluster } = await node("a");
    const other = await node("c");
    const there = (await other.system.startChild({ id: "there", actor: WORKER })) as ActorRef<typeof Worker>;
    await other.cluster.register("there", there);
    const before = await until("its name", () => cluster.whereis<typeof Worker>("there"));
    expect(await before.call("echo", 1)).toBe(1);
    // As when the network between them is cut for long: the same incarnation comes back.
    const guests = Array.from({ length: MOST_AWAY + 8 }, (_, i) => `guest-${i}`);
    const isUp = (up: boolean) => [cluster, other.cluster].every((one) => namesOf(one).length === (up ? 1 : 0));
    // Sessions are numbered, and a number that was used is none for another.
    for (let sessions = 0; sessions < 3; sessions++) {
      await until("a session", () => isUp(true));
      hub.partition([["a", ...guests], ["c"]]);
      await until("its end", () => isUp(false));
      if (sessions < 2) hub.partition([]);
    }
    await comeAndGo(cluster, guests);
    await until("the cut", () => linksOf(cluster) <= MOST_AWAY);
    await expect(before.call("echo", 2)).rejects.toMatchObject({ code: "ERR_NOPROC" });
    hub.partition([]);
    await until("its return", () => namesOf(cluster).includes("c"));
    const again = await until("its name", () => cluster.whereis<typeof Worker>("there"));
    expect(await again.call("echo", 3)).toBe(3);
    await expect(system.stop()).resolves.toBeDefined();
  });
});

describe("what stands for actors of another node", () => {
  it("is let go when they are gone for good, and not when they crash or are stopped for a while", async () => {
    const [a, b] = [await node("a"), await node("b")];
    const kept = (await a.system.startChild({ id: "kept", actor: WORKER })) as ActorRef<typeof Worker>;
    await a.cluster.register("kept", kept);
    const far = await until("the name", () => b.cluster.whereis<typeof Worker>("kept"));
    await until("the node", () => namesOf(b.cluster).length === 1);
    const short = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        b.system.startChild({ id: `short-${i}`, actor: WORKER, restart: "temporary", shutdown: "brutal_kill" }),
      ),
    );
    const long = (await b.system.startChild({ id: "long", actor: WORKER })) as ActorRef<typeof Worker>;
    const stopped = (await b.system.startChild({ id: "stopped", actor: WORKER })) as ActorRef<typeof Worker>;
    for (const ref of [...short, long, stopped]) await far.cast("note", ref);
    await until("all", async () => (await kept.call("count")) === 22);
    const all = a.cluster.stats().proxies;
    const [first, ...rest] = (await kept.call("noted")) as ActorRef<typeof Worker>[];
    await long.call("crash").catch(() => {});
    await b.system.terminateChild("stopped");
    await Promise.all(short.map(({ id }) => b.system.terminateChild(id.slice("root/".length))));
    await until("that they are let go", () => a.cluster.stats().proxies === all - 20);
    const outcome = (ref: ActorRef): Promise<string> => ref.call("echo", 1).then(String, ({ code }) => code);
    expect(await outcome(first)).toBe("ERR_NOPROC");
    expect(await outcome(rest.at(-2) as ActorRef)).toBe("1");
    await b.system.restartChild("stopped");
    expect(await outcome(rest.at(-1) as ActorRef)).toBe("1");
    // A reference that has been kept elsewhere is told when it is used.
    await far.cast("note", short[0]);
    await until("it", async () => (await kept.call("count")) === 23);
    const late = ((await kept.call("noted")) as ActorRef[]).at(-1) as ActorRef;
    expect(await outcome(late)).toBe("ERR_NOPROC");
    await until("that it is let go", () => a.cluster.stats().proxies === all - 20);
  });

  it("49. is no more than maxReferences, whatever references a peer makes up, of whatever nodes", async () => {
    const { system, cluster } = await node("a", { maxReferences: 100 });
    const own = (await system.startChild({ id: "own", actor: WORKER })) as ActorRef<typeof Worker>;
    await cluster.register("own", own);
    const peer = new Stranger(hub);
    await until("a session", () => cluster.nodes().length === 1);
    const send = (of: string, incarnation: string, uid: number, key?: number): void => {
      const wire = key === undefined ? [of, incarnation, uid, "root/made/up"] : [of, incarnation, uid, "root/up", key];
      peer.data(body([2, { target: own.uid, method: "note", ...referenceArgs(wire) }]));
    };
    for (let uid = 1; uid <= 500; uid++) send("x", "x1", uid);
    for (let key = 0; key < 500; key++) send("x", "x1", 7, key);
    for (let i = 0; i < 500; i++) send(`made-${i}`, "m1", i + 1);
    for (let uid = 1; uid <= 500; uid++) send("made-up", "m1", uid);
    await until("all", async () => (await own.call("count")) === 2000);
    expect(cluster.stats().proxies).toBeLessThanOrEqual(3 * 100);
    await until("the cut", () => cluster.stats().proxies <= 2 * 100);
    const refs = (await own.call("noted")) as ActorRef[];
    const beyond = refs[400];
    await expect(beyond.call("echo", 1)).rejects.toMatchObject({ code: "ERR_NOPROC" });
    expect(cluster.stats().damaged).toBeGreaterThan(800);
    expect(cluster.nodes().map((one) => one.node)).toEqual(["x"]);
  });
});
