import { type ActorRef, dynamicSupervisor, type PartitionedSupervisorRef } from "@mini-otp/runtime";
import { expect, onTestFailed, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";

const actor = new URL("./fixtures/member.actor.js", import.meta.url);
const STEPS = 1_500;

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("whatever ends under load, every call settles, nothing is counted twice, and no room is lost", async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`SEED=${seed}`));
  const next = random(seed);
  const pick = (n: number): number => Math.floor(next() * n);
  const spec = dynamicSupervisor({
    id: "members",
    threads: { count: 3, place: "least_loaded" },
    template: { actor, handlerTimeoutMs: 2_000, mailbox: { capacity: 8, overflow: "reject" } },
    intensity: 1_000,
  });
  const system = await testSystem({ children: [spec], intensity: 100_000 });
  const supervisor = system.child("members") as PartitionedSupervisorRef;
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const refs: ActorRef[] = await supervisor.startChildren<typeof Member>(Array.from({ length: 40 }, () => ({})));
  const open: Promise<unknown>[] = [];
  const settles = (call: Promise<unknown>): void =>
    void open.push(
      call.then(
        () => "ok",
        (e: { code?: string }) => e.code ?? String(e),
      ),
    );
  for (let i = 0; i < STEPS; i++) {
    const ref = refs[pick(refs.length)];
    const other = refs[pick(refs.length)];
    switch (pick(12)) {
      case 0:
        settles(supervisor.startChild({}).then((started) => refs.push(started)));
        break;
      case 1:
        settles(ref.call("crash", "x"));
        break;
      case 2:
        settles(ref.call("stop"));
        break;
      case 3:
        settles(ref.call("spawn", undefined, {}, false).then((spawned) => refs.push(spawned as ActorRef)));
        break;
      case 4:
        settles(ref.call("forward", other, "echo", i));
        break;
      case 5:
        settles(echo.call("forward", ref, i));
        break;
      case 6:
        settles(ref.with({ timeoutMs: 50 }).call("after", pick(20)));
        break;
      case 7:
        if (pick(8) === 0) settles(ref.call("exit", 1));
        else settles(ref.call("stray"));
        break;
      case 8:
        settles(supervisor.terminateChild(ref.id.slice(ref.id.lastIndexOf("/") + 1)));
        break;
      default:
        for (let n = 0; n < 12; n++) settles(ref.cast("note", n));
        settles(ref.call("echo", i));
    }
    // Ordinary casts of a member of its own that overflow crash it, which is one more way to end.
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const outcomes = await Promise.all(open);
  const allowed = [
    "ok",
    "ERR_CALL_EXIT",
    "ERR_NOPROC",
    "ERR_MAILBOX_FULL",
    "ERR_CALL_TIMEOUT",
    "ERR_NOT_FOUND",
    "ERR_INIT_FAILED",
  ];
  expect({ seed, strange: outcomes.filter((outcome) => !allowed.includes(outcome as string)) }).toEqual({
    seed,
    strange: [],
  });
  const fresh = await supervisor.startChildren<typeof Member>(Array.from({ length: 30 }, () => ({})));
  expect(await Promise.all(fresh.map((ref) => ref.call("echo", seed)))).toEqual(fresh.map(() => seed));
  await eventually(() => supervisor.partitions().every(({ queued, queuedBytes }) => queued === 0 && queuedBytes === 0));
  await eventually(() => supervisor.whichChildren().length === supervisor.countChildren().active);
  for (const { ref } of supervisor.whichChildren()) {
    await eventually(() => (ref as ActorRef).stats().mailbox.length === 0);
    expect((ref as ActorRef).stats().mailbox.bytes).toBe(0);
  }
});
