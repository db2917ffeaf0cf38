import { setTimeout as delay } from "node:timers/promises";
import { type ActorRef, type ActorSystem, startSystem } from "@mini-otp/runtime";
import { DEATHS } from "./deaths.js";
import { Ledger } from "./ledger.js";
import { randomFrom } from "./random.js";
import type Receiver from "./receiver.actor.js";
import type Sender from "./sender.actor.js";

export interface SoakResult {
  readonly seed: number;
  readonly seconds: number;
  readonly accepted: number;
  readonly received: number;
  readonly deadLetters: number;
  readonly deaths: Readonly<Record<string, number>>;
  readonly longestStallMs: number;
  /** What must not be. */
  readonly violations: readonly string[];
}

const SENDERS = 4;
const RECEIVERS = 3;
const STALL_MS = 1000;
/** A look this late means that the machine, or main, stood still: that is no stall of the messages. */
const LATE_LOOK_MS = 100;
const LOOK_MS = 10;
const DRAIN_MS = 60_000;

/**
 * Senders and receivers are killed every 5 to 50 ms, in every way there is, while messages flow; then the books are
 * compared: what was accepted was handled or is a dead letter, once, in order, intact.
 */
export async function soak(seconds: number, seed: number): Promise<SoakResult> {
  const random = randomFrom(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)];
  const ledger = Ledger.create(SENDERS, RECEIVERS);
  const system = await startSystem({ name: "soak", logger: false, intensity: 1_000_000 });
  const deaths = new Map<string, number>();
  const deadLetters = new Map<string, { inFlight: number; all: number }>();
  system.on("actor_exited", ({ reason }) => deaths.set(reason.kind, (deaths.get(reason.kind) ?? 0) + 1));
  system.on("dead_letter", ({ id, why }) => {
    const known = deadLetters.get(id) ?? { inFlight: 0, all: 0 };
    known.all++;
    if (why === "in_flight") known.inFlight++;
    deadLetters.set(id, known);
  });

  const { receivers, senders } = await startActors(system);
  const everyone: ActorRef[] = [...receivers, ...senders];
  const stalls = watchStalls(ledger);
  const endAt = performance.now() + seconds * 1000;
  // None is killed again before it has died of the last kill.
  const condemned = new Map<ActorRef, number>();
  while (performance.now() < endAt) {
    await delay(5 + random() * 45);
    const target = pick(everyone);
    const { state, incarnation } = system.stats(target);
    if (state !== "running" || condemned.get(target) === incarnation) continue;
    condemned.set(target, incarnation);
    if (random() < 0.3) system.exit(target, "kill");
    else target.tryCast("die", pick(DEATHS));
  }
  const longestStallMs = stalls();
  ledger.end();

  const violations: string[] = [];
  if (longestStallMs > STALL_MS) violations.push(`nothing was received for ${Math.round(longestStallMs)} ms`);
  violations.push(...(await drained(system, everyone)));
  let accepted = 0;
  for (const [r, ref] of receivers.entries()) {
    const { enqueued, handled } = system.stats(ref).mailbox;
    const { all = 0, inFlight = 0 } = deadLetters.get(ref.id) ?? {};
    accepted += enqueued;
    if (enqueued !== handled + all) violations.push(`${ref.id}: ${enqueued} accepted, ${handled} handled, ${all} dead`);
    let missing = 0;
    for (let s = 0; s < SENDERS; s++) {
      const pair = ledger.pair(s, r);
      const name = `sender ${s} to receiver ${r}`;
      missing += Math.max(0, pair.accepted - pair.received);
      if (pair.received > pair.accepted + pair.doubtful) violations.push(`${name}: ${JSON.stringify(pair)}: twice`);
      if (pair.outOfOrder > 0) violations.push(`${name}: ${pair.outOfOrder} out of order`);
      if (pair.corrupt > 0) violations.push(`${name}: ${pair.corrupt} corrupt`);
    }
    if (missing > inFlight) violations.push(`receiver ${r}: ${missing - inFlight} lost`);
  }
  await system.stop({ timeoutMs: 5000 });
  const sum = [...deadLetters.values()].reduce((total, { all }) => total + all, 0);
  return {
    seed,
    seconds,
    accepted,
    received: ledger.allReceived,
    deadLetters: sum,
    deaths: Object.fromEntries([...deaths].sort()),
    longestStallMs: Math.round(longestStallMs),
    violations,
  };
}

async function startActors(system: ActorSystem) {
  const limits = { heapCapMb: 24, handlerTimeoutMs: 200 };
  const receivers: ActorRef<typeof Receiver>[] = [];
  for (let i = 0; i < RECEIVERS; i++) {
    const actor = new URL("./receiver.actor.js", import.meta.url);
    const mailbox = { capacity: 256, capacityBytes: 65_536, blockTimeoutMs: 100 };
    receivers.push(
      await system.startChild<typeof Receiver>({ id: `receiver-${i}`, actor, args: i, mailbox, ...limits }),
    );
  }
  const senders: ActorRef<typeof Sender>[] = [];
  for (let sender = 0; sender < SENDERS; sender++) {
    const actor = new URL("./sender.actor.js", import.meta.url);
    const args = { sender, receivers };
    senders.push(await system.startChild<typeof Sender>({ id: `sender-${sender}`, actor, args, ...limits }));
  }
  return { receivers, senders };
}

/** Returns what ends the watch and tells the longest time in which nothing was received. */
function watchStalls(ledger: Ledger): () => number {
  let received = ledger.allReceived;
  let lookedAt = performance.now();
  let stalledMs = 0;
  let longestMs = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    const passedMs = now - lookedAt;
    lookedAt = now;
    const sum = ledger.allReceived;
    if (sum !== received) stalledMs = 0;
    else if (passedMs < LATE_LOOK_MS) stalledMs += passedMs;
    received = sum;
    longestMs = Math.max(longestMs, stalledMs);
  }, LOOK_MS);
  return () => {
    clearInterval(timer);
    return longestMs;
  };
}

/** Every mailbox is empty and no actor is at work. */
async function drained(system: ActorSystem, actors: readonly ActorRef[]): Promise<string[]> {
  const busy = () =>
    actors.filter((ref) => {
      const { state, handling, mailbox } = system.stats(ref);
      return state !== "running" || handling !== null || mailbox.length > 0;
    });
  const deadline = performance.now() + DRAIN_MS;
  while (busy().length > 0) {
    if (performance.now() > deadline) return busy().map(({ id }) => `${id}: not drained within ${DRAIN_MS} ms`);
    await delay(LOOK_MS);
  }
  return [];
}
