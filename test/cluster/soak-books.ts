import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkFences, type FencedWrite } from "./checker/fences.js";
import { checkMessages, type Outcome } from "./checker/messages.js";
import { checkName, type NameOperation, type Suspect } from "./checker/names.js";
import { OUTCOMES } from "./fixtures/soak-sender.actor.js";

/** One process of a node. */
export interface Life {
  readonly life: number;
  readonly node: string;
  /** By the clock that all processes have; Infinity for one that was not killed. */
  killedAt: number;
  /** When it stood still. */
  readonly stoppedAt: number[];
}

export interface Books {
  readonly casts: number;
  readonly calls: number;
  readonly handled: number;
  readonly deadLetters: number;
  readonly lost: number;
  readonly doubt: number;
  readonly refused: number;
  readonly losses: number;
  readonly names: number;
  readonly nameOperations: number;
  readonly owners: number;
  readonly stored: number;
  readonly violations: readonly string[];
}

interface Event {
  readonly at: number;
  readonly type: string;
  readonly [fact: string]: unknown;
}

/** Reads what the lives of all nodes have written down, and compares it. */
export function compareBooks(
  folder: string,
  lives: readonly Life[],
  { window, ring, holdMs }: { readonly window: number; readonly ring: number; readonly holdMs: number },
): Books {
  const events = new Map(lives.map(({ life }) => [life, eventsIn(join(folder, `events-${life}`))]));
  const violations: string[] = [];
  const sums = { casts: 0, calls: 0, handled: 0, deadLetters: 0, lost: 0, doubt: 0, refused: 0, losses: 0 };
  const handled = handledBy(folder, lives);
  for (const sender of lives) {
    const own = events.get(sender.life) ?? [];
    for (const [receiver, outcomes] of sentBy(folder, sender.life)) {
      const to = lives.find(({ life }) => life === receiver) as Life;
      const joined = events.get(receiver)?.find(({ type }) => type === "joined");
      const losses = own.filter(({ type, incarnation }) => type === "down" && incarnation === joined?.incarnation);
      const id = `${to.node}:root/receiver-${receiver}`;
      const dead = own.filter((event) => event.type === "dead" && event.id === id);
      const pair = {
        pair: `${sender.node}${sender.life} to ${to.node}${receiver}`,
        outcomes,
        handled: handled.get(`${sender.life}/${receiver}`) ?? [],
        deadLetters: dead.reduce((sum, { count }) => sum + Number(count), 0),
        losses: losses.length,
        senderKilled: sender.killedAt !== Infinity,
        window,
        ring,
      };
      violations.push(...checkMessages(pair));
      const count = (...of: Outcome[]): number => outcomes.slice(1).filter((outcome) => of.includes(outcome)).length;
      sums.casts += count("accepted");
      sums.calls += count("answered");
      sums.doubt += count("doubt", undefined);
      sums.refused += count("refused");
      sums.handled += pair.handled.length;
      sums.deadLetters += pair.deadLetters;
      sums.losses += pair.losses;
      const all = new Set(pair.handled);
      sums.lost += outcomes.filter((outcome, number) => outcome === "accepted" && !all.has(number)).length;
    }
    // What a receiver refuses, or loses, is no fault here: no mailbox is full for long, and none crashes.
    const atReceiver = own.filter(({ type, id }) => type === "dead" && id === `root/receiver-${sender.life}`);
    if (atReceiver.length > 0) violations.push(`${sender.node}${sender.life}: ${JSON.stringify(atReceiver[0])}`);
  }
  const operations = nameOperations(lives, events);
  const suspects = suspectsOf(lives, events, holdMs);
  for (const [name, history] of operations) violations.push(...checkName(name, history, suspects));
  const writes = eventsIn(join(folder, "store")) as unknown as FencedWrite[];
  const stopped = new Set(lives.filter(({ stoppedAt }) => stoppedAt.length > 0).map(({ life }) => String(life)));
  const answered = [...events.values()].flat().filter(({ type }) => type === "stored");
  violations.push(...checkFences({ writes, stopped, answered: answered.map(({ message }) => String(message)) }));
  return {
    ...sums,
    names: operations.size,
    nameOperations: [...operations.values()].reduce((sum, { length }) => sum + length, 0),
    owners: new Set(writes.map(({ start }) => start)).size,
    stored: writes.length,
    violations,
  };
}

function wordsIn(file: string, each: number): Uint32Array {
  if (!existsSync(file)) return new Uint32Array(0);
  const bytes = readFileSync(file);
  // A process that was killed may have left a part of a record.
  const whole = bytes.length - (bytes.length % (4 * each));
  return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + whole));
}

function sentBy(folder: string, life: number): Map<number, Outcome[]> {
  const pairs = new Map<number, Outcome[]>();
  const words = wordsIn(join(folder, `sent-${life}`), 3);
  for (let i = 0; i < words.length; i += 3) {
    const [receiver, number, kind] = words.subarray(i, i + 3);
    const outcomes = pairs.get(receiver) ?? [undefined];
    pairs.set(receiver, outcomes);
    const outcome = OUTCOMES[kind];
    outcomes[number] = outcome === "attempted" ? undefined : outcome;
  }
  return pairs;
}

function handledBy(folder: string, lives: readonly Life[]): Map<string, number[]> {
  const pairs = new Map<string, number[]>();
  for (const { life } of lives) {
    const words = wordsIn(join(folder, `handled-${life}`), 2);
    for (let i = 0; i < words.length; i += 2) {
      const key = `${words[i]}/${life}`;
      const numbers = pairs.get(key);
      if (numbers === undefined) pairs.set(key, [words[i + 1]]);
      else numbers.push(words[i + 1]);
    }
  }
  return pairs;
}

function eventsIn(file: string): Event[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  // The last is empty, or was cut off with its process.
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

/** Those that lose what they hold with their lease. */
function suspectsOf(
  lives: readonly Life[],
  events: ReadonlyMap<number, readonly Event[]>,
  holdMs: number,
): Map<string, Suspect> {
  const suspects = new Map<string, Suspect>();
  for (const { life, killedAt, stoppedAt } of lives) {
    const losses = (events.get(life) ?? []).filter(({ type }) => type === "lease_lost");
    // Others may have seen its end before it did: it was not renewed for so long.
    const since = Math.min(killedAt, ...stoppedAt, ...losses.map(({ at }) => at - holdMs));
    if (since === Infinity) continue;
    suspects.set(String(life), { since, returns: stoppedAt.length + losses.length > 0 });
  }
  return suspects;
}

function nameOperations(
  lives: readonly Life[],
  events: ReadonlyMap<number, readonly Event[]>,
): Map<string, NameOperation[]> {
  const names = new Map<string, NameOperation[]>();
  for (const { life } of lives) {
    const own = events.get(life) ?? [];
    const returns = new Map(own.filter(({ type }) => type === "return").map((event) => [event.operation, event]));
    for (const { type, at, operation, name, kind, holder } of own) {
      if (type !== "call") continue;
      const returned = returns.get(operation);
      const history = names.get(String(name)) ?? [];
      names.set(String(name), history);
      history.push({
        kind: kind as NameOperation["kind"],
        holder: String(holder),
        outcome: (returned?.outcome ?? "info") as NameOperation["outcome"],
        found: returned?.found as string | undefined,
        calledAt: at,
        returnedAt: returned?.at ?? Infinity,
      });
    }
  }
  return names;
}
