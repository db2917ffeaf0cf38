import type { GuardOptions } from "@mini-otp/runtime";
import { type ActorRef, type ActorSystem, type DynamicSupervisorRef, dynamicSupervisor } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Scribe from "../fixtures/scribe.actor.js";
import { pinoLines } from "../support/log-lines.js";
import { ofPart } from "../support/part.js";
import { fixture, testSystem } from "../support/system.js";

/** A thread each. `npm run test:last-lines` for a thousand. */
const DEATHS = Number(process.env.LAST_LINES ?? ofPart(6, 6, 40));
const AT_ONCE = 3;
const TIMEOUT_MS = 600_000;
const ALL = Array.from({ length: DEATHS }, (_, n) => n);

interface Death {
  readonly how: (scribe: ActorRef<typeof Scribe>, n: number, system: ActorSystem, lane: number) => unknown;
  readonly guard?: GuardOptions;
  readonly console?: "log";
  /** The exit reason's kind. */
  readonly kind: string;
}

/** Lets so many actors log a line with their number and die; tells which numbers arrived, and of what they died. */
async function lastLines({ how, guard, console = "inherit" as never, kind }: Death) {
  const { logger, lines } = pinoLines();
  const system = await testSystem({ logger, ...(guard === undefined ? {} : { guard }) });
  const jobs = (await system.startChild(dynamicSupervisor({ id: "jobs" }))) as DynamicSupervisorRef;
  let next = 0;
  const kinds = new Set<string>();
  const one = async (_: unknown, lane: number): Promise<void> => {
    for (let n = next++; n < DEATHS; n = next++) {
      const scribe = await jobs.startChild<typeof Scribe>({
        id: String(n),
        actor: fixture("scribe"),
        restart: "temporary",
        heapCapMb: 8,
        startTimeoutMs: 120_000,
        console,
      });
      const down = new Promise((resolve) => {
        system.monitor(scribe, ({ reason }) => resolve(kinds.add(reason.kind)));
      });
      await how(scribe, n, system, lane);
      await down;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  expect([...kinds]).toEqual([kind]);
  return lines
    .filter(({ thread, msg }) => thread !== undefined && msg.startsWith("last"))
    .map(({ n, msg }) => (n as number | undefined) ?? Number(msg.split(" ")[1]))
    .toSorted((a, b) => a - b);
}

// Promise: last-line-actor-logs
test("the last line before a crash is there, every time", { timeout: TIMEOUT_MS }, async () => {
  expect(await lastLines({ how: (scribe, n) => scribe.cast("crash", n), kind: "error" })).toEqual(ALL);
});

// Promise: last-line-actor-logs
test("the last line before an exit is there, every time", { timeout: TIMEOUT_MS }, async () => {
  expect(await lastLines({ how: (scribe, n) => scribe.cast("exit", n), kind: "exit_called" })).toEqual(ALL);
});

// Promise: last-line-actor-logs
test("the last line before a kill is there, every time, though main has not read it by then", {
  timeout: TIMEOUT_MS,
}, async () => {
  const witnesses = new Map<number, ActorRef<typeof Scribe>>();
  const how: Death["how"] = async (scribe, n, system, lane) => {
    const known = witnesses.get(lane);
    const witness =
      known ?? (await system.startChild<typeof Scribe>({ id: `witness${lane}`, actor: fixture("scribe") }));
    witnesses.set(lane, witness);
    const before = system.stats(witness).mailbox.enqueued;
    await scribe.cast("spin", n, witness);
    // Main's event loop does not turn meanwhile.
    while (system.stats(witness).mailbox.enqueued === before);
    system.exit(scribe, "kill");
  };
  expect(await lastLines({ how, kind: "killed" })).toEqual(ALL);
});

// Promise: last-line-actor-logs
test("the last line of an actor that the guard ends over its heap cap is there, every time", {
  timeout: TIMEOUT_MS,
}, async () => {
  expect(await lastLines({ how: (scribe, n) => scribe.cast("leak", n), kind: "heap_cap_exceeded" })).toEqual(ALL);
});

// Promise: last-line-actor-logs
test("the last line of an actor whose heap V8 gives up is there, every time", { timeout: TIMEOUT_MS }, async () => {
  const guard = { intervalMs: 600_000, headroomMb: 16 };
  const kind = "heap_cap_exceeded";
  expect(await lastLines({ how: (scribe, n) => scribe.cast("leak", n), guard, kind })).toEqual(ALL);
});

test("with console log, the console's last line is there too, every time", { timeout: TIMEOUT_MS }, async () => {
  const how: Death["how"] = (scribe, n) => scribe.cast("lastConsole", n);
  expect(await lastLines({ how, console: "log", kind: "exit_called" })).toEqual(ALL);
});
