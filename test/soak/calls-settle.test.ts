import { readdirSync } from "node:fs";
import { type ActorRef, isActorError } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Asker from "./asker.actor.js";
import { randomFrom } from "./random.js";

const ROUNDS = 1000;
const SEED = 20;
/** Ends that a call may come to when someone dies; a timeout would mean that it was forgotten. */
const ENDS = ["ERR_CALL_EXIT", "ERR_NOPROC"];

test(`in ${ROUNDS} rounds of kills at random moments every call settles, and nothing is left behind`, {
  timeout: 600_000,
}, async () => {
  const random = randomFrom(SEED);
  const system = await testSystem({ intensity: 10 * ROUNDS });
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const asker = await system.startChild<typeof Asker>({
    id: "asker",
    actor: new URL("./asker.actor.js", import.meta.url),
  });
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const counted = (call: Promise<unknown>) =>
    call.then(
      (reply) => count(String(reply)),
      (error: unknown) => count(isActorError(error) ? error.code : String(error)),
    );
  const threads = () => readdirSync("/proc/self/task").length;
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const patient = <A>(ref: ActorRef<A>) => ref.with({ timeoutMs: 60_000 });

  const round = async () => {
    const calls = [
      counted(patient(echo).call("echo", "main")),
      counted(patient(asker).call("askSync", echo)),
      counted(patient(asker).call("ask", echo)),
      counted(patient(echo).call("echo", "main")),
    ];
    for (let turns = Math.floor(random() * 40); turns > 0; turns--) await new Promise(setImmediate);
    system.exit(random() < 0.7 ? echo : asker, "kill");
    await Promise.all(calls);
  };
  const settled = async () => {
    await eventually(() => [echo, asker].every((ref) => system.stats(ref).state === "running"));
    await eventually(() => system.stats().spares.ready === 2);
  };

  for (let i = 0; i < 50; i++) await round();
  await settled();
  const before = { threads: system.stats().threads, osThreads: threads(), descriptors: descriptors() };
  const rssBefore = process.memoryUsage.rss();
  for (let i = 50; i < ROUNDS; i++) await round();
  await settled();

  const ends = [...outcomes.keys()];
  expect(ends.filter((end) => !["main", "sync", "async", ...ENDS].includes(end))).toEqual([]);
  expect([...outcomes.values()].reduce((sum, n) => sum + n, 0)).toBe(4 * ROUNDS);
  expect(ends).toEqual(expect.arrayContaining(["main", "ERR_CALL_EXIT"]));
  expect(system.stats().threads).toBe(before.threads);
  await eventually(() => threads() <= before.osThreads && descriptors() <= before.descriptors);
  // V8 gives memory back late; a thread that leaked would be 5 MiB or more, 950 times.
  expect((process.memoryUsage.rss() - rssBefore) / 2 ** 20).toBeLessThan(200);
});
