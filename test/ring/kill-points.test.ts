import type { ActorRef, ActorSystem } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Gate from "../fixtures/gate.actor.js";
import type Log from "../fixtures/log.actor.js";
import type Mortal from "../fixtures/mortal.actor.js";
import { eventually } from "../support/eventually.js";
import { ofPart } from "../support/part.js";
import { fixture, testSystem } from "../support/system.js";

/** More operations than a send or a receive has: the sweep ends at the first that no process reaches. */
const MOST_OPERATIONS = 200;
const AFTERWARDS = 1000;

interface Stage {
  readonly system: ActorSystem;
  readonly log: ActorRef<typeof Log>;
  readonly receiver: ActorRef<typeof Mortal>;
  /** How many values the receiver has been sent before the act. */
  readonly before: number;
  /** Lets a receiver that is held go on. */
  release(): Promise<void>;
}

const CAPACITY_BYTES = 4096;
/** A record of this text takes 1 000 bytes or so: four fill the ring, and they do not divide it evenly. */
const LARGE = "x".repeat(930);

/** States of the receiver's mailbox when the thread dies. */
const STATES = {
  empty: { queued: 0, value: "small", held: false },
  one: { queued: 1, value: "small", held: true },
  "at the wrap": { queued: 3, value: LARGE, held: true },
  full: { queued: 4, value: "small", held: true },
} as const;

type State = keyof typeof STATES;
const ALL = Object.keys(STATES) as State[];

async function stage(state: keyof typeof STATES): Promise<Stage> {
  const system = await testSystem({ intensity: 1_000_000, periodMs: 1 });
  const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const { queued, value, held } = STATES[state];
  const receiver = await system.startChild<typeof Mortal>({
    id: "receiver",
    actor: fixture("mortal"),
    args: { log },
    mailbox: { capacity: state === "full" ? queued : 1024, capacityBytes: CAPACITY_BYTES },
  });
  if (held) {
    await receiver.cast("hold", gate);
    await gate.call("someone");
  }
  for (let i = 0; i < queued; i++) await receiver.cast("take", `${i} ${value}`);
  return { system, log, receiver, before: queued, release: async () => void (held && (await gate.cast("open"))) };
}

/** An actor that waits for room in the receiver's mailbox. */
async function blockedSender({ system, log, receiver }: Stage): Promise<{ sent: Promise<unknown> }> {
  const sender = await system.startChild<typeof Mortal>({ id: "waiting", actor: fixture("mortal"), args: { log } });
  const sent = sender.with({ timeoutMs: 60_000 }).call("sendAndDie", receiver, "waited", 0);
  await eventually(() => system.stats(sender).handling?.method === "sendAndDie");
  return { sent };
}

/** After the death: a thousand messages go through, none lost, none twice, and what came before is there in order. */
async function expectIntact({ log, receiver, before }: Stage, maybe: string): Promise<void> {
  const sent = Array.from({ length: AFTERWARDS }, (_, i) => `after ${i}`);
  for (const value of sent) await receiver.cast("take", value);
  await receiver.call("ready");
  const entries = (await log.call("entries")) as string[];
  const expected = [...Array.from({ length: before }, (_, i) => `${i}`), ...sent];
  const seen = entries.map((entry) => entry.replace(/ x+$| small$/, ""));
  expect(seen.filter((entry) => entry !== maybe)).toEqual(expected);
  expect(seen.filter((entry) => entry === maybe).length).toBeLessThanOrEqual(1);
}

// Promise: sender-receiver-dies-any
describe("a sender that dies at any atomic operation of a send loses no other sender's messages", () => {
  test.each(ofPart<State[]>(ALL, ["full"], ALL))("into a mailbox that is: %s", { timeout: 120_000 }, async (state) => {
    let deaths = 0;
    for (let k = 1; k < MOST_OPERATIONS; k++) {
      const set = await stage(state);
      const { system, receiver } = set;
      const sender = await system.startChild<typeof Mortal>({
        id: "sender",
        actor: fixture("mortal"),
        args: { log: set.log },
      });
      const survived = sender.call("sendAndDie", receiver, "maybe", k).catch(() => false);
      await eventually(
        () => system.stats(sender).incarnation > 1 || system.stats(sender).mailbox.handled > 0 || state === "full",
      );
      await set.release();
      const lived = await survived;
      await expectIntact(set, "maybe");
      // The survivor and the reborn can both still send.
      expect(await sender.call("sendAndDie", receiver, "again", 0)).toBe(false);
      await system.stop();
      if (lived) break;
      deaths++;
    }
    expect(deaths).toBeGreaterThanOrEqual(4);
    expect(deaths).toBeLessThan(MOST_OPERATIONS - 1);
  });
});

// Promise: sender-receiver-dies-any
describe("a receiver that dies at any atomic operation of its loop loses and repeats nothing", () => {
  test.each(ofPart<State[]>(ALL, ["at the wrap"], ALL))(
    "with a mailbox that is: %s",
    { timeout: 120_000 },
    async (state) => {
      let deaths = 0;
      for (let k = 1; k < MOST_OPERATIONS; k++) {
        const set = await stage(state);
        const { system, receiver } = set;
        const dead: string[] = [];
        system.on("dead_letter", ({ method }) => dead.push(method));
        const waiting = state === "full" ? await blockedSender(set) : undefined;
        const armed = receiver.cast("receiveAndDie", k);
        await set.release();
        await Promise.all([armed, waiting?.sent]);
        const survived = await receiver.call("disarm").catch(() => false);
        // A value may have been in flight: then it is accounted for as a dead letter. Its handler may have come to its
        // end by then, so it may have been seen too; never twice, and nothing else is missing or dead.
        const sent = Array.from({ length: AFTERWARDS }, (_, i) => `after ${i}`);
        for (const value of sent) await receiver.cast("take", value);
        await receiver.call("ready");
        const entries = (await set.log.call("entries")) as string[];
        const seen = entries.map((entry) => entry.replace(/ x+$| small$/, ""));
        const waited = waiting === undefined ? [] : ["waited"];
        const expected = [...Array.from({ length: set.before }, (_, i) => `${i}`), ...waited, ...sent];
        const missing = expected.filter((entry) => !seen.includes(entry));
        expect(seen).toEqual(expected.filter((entry) => !missing.includes(entry)));
        const deadValues = dead.filter((method) => method === "take").length;
        expect(deadValues).toBeLessThanOrEqual(1);
        expect(missing.length).toBeLessThanOrEqual(deadValues);
        await system.stop();
        if (survived) break;
        deaths++;
      }
      expect(deaths).toBeGreaterThanOrEqual(4);
      expect(deaths).toBeLessThan(MOST_OPERATIONS - 1);
    },
  );
});
