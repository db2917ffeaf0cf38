import { Buffer } from "node:buffer";
import type { ActorRef } from "@mini-otp/runtime";
import { startTestSystem } from "@mini-otp/runtime/testing";
import { describe, expect, it } from "vitest";
import { joinBy } from "#cluster/cluster/cluster.js";
import { takeClusterOptions } from "#cluster/cluster/options.js";
import { MemoryHub } from "#cluster/engine/memory-engine.js";
import { DATA, encodeFrame } from "#cluster/link/frame.js";
import { body, Stranger } from "./stranger.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);

/** xorshift: the same schedule for the same seed. */
function random(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

describe("a hostile peer with valid credentials", () => {
  it("49, 50. reaches no actor whose reference it was not given, and what is damaged is counted and dropped", async () => {
    const hub = new MemoryHub();
    const system = await startTestSystem();
    const options = takeClusterOptions({ cluster: "test", node: "a", heartbeatMs: 50, downAfterMs: 60_000 });
    const cluster = await joinBy(system, hub.connect("a"), options);
    const hidden = (await system.startChild({ id: "hidden", actor: WORKER })) as ActorRef;
    const peer = new Stranger(hub);
    await until("a session", () => cluster.nodes().length === 1);
    const seed = Date.now() | 0;
    const next = random(seed);
    try {
      // Every number that an actor here can have, and each thing that can be asked of it.
      for (let uid = 0; uid < 200; uid++) {
        for (let op = 1; op <= 14; op++) peer.data(body([op, { target: uid, token: uid, method: "note" }]));
      }
      for (let round = 0; round < 20_000; round++) {
        const bytes = body(
          [
            1 + Math.floor(next() * 14),
            { target: Math.floor(next() * 300), token: round, method: "note", format: 1 + Math.floor(next() * 8) },
          ],
          [13, { target: Math.floor(next() * 2 ** 32), token: round, payload: Buffer.alloc(40, round) }],
        );
        for (let i = Math.floor(next() * 6); i > 0; i--)
          bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
        if (round % 3 === 0)
          peer.raw(
            encodeFrame({
              type: DATA,
              from: 77,
              to: peer.peerEpoch,
              seq: Math.floor(next() * 2 ** 32),
              ack: Math.floor(next() * 2 ** 32),
              body: bytes,
            }).subarray(0, Math.floor(next() * 60)),
          );
        else peer.data(bytes);
        if (round % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await until("that it is counted", () => cluster.stats().damaged > 1000);
      expect(await hidden.call("noted")).toEqual([]);
      expect(await hidden.call("incarnation")).toBe(1);
      expect(await hidden.call("infos")).toEqual([]);
    } catch (error) {
      throw new Error(`seed=${seed}`, { cause: error });
    } finally {
      await system.stop();
    }
  });
});
