import { BLOCKED_ON, DISPATCHES } from "@mini-otp/worker-host/protocol/memory";
import type { ToActor } from "@mini-otp/worker-host/protocol/port";
import type { Slot } from "../mailbox/slots.js";

interface Blockable {
  readonly id: string;
  readonly slot: Slot;
  post(message: ToActor): void;
}

/** Breaks circles of actors that block on each other, because none of them can break it. */
export class CycleBreaker {
  #seen = new Set<string>();

  /** Breaks a circle when it sees it for the second time, because one look may catch a passing state. */
  check(actors: Iterable<Blockable>): void {
    const byUid = new Map<number, Blockable>();
    const blockedOn = new Map<number, number>();
    for (const actor of actors) {
      const { uid, memory } = actor.slot;
      const on = Atomics.load(memory.words, BLOCKED_ON);
      if (on === 0) continue;
      byUid.set(uid, actor);
      blockedOn.set(uid, on);
    }
    const seen = new Set<string>();
    for (const cycle of findCycles(blockedOn)) {
      const members = cycle.map((uid) => byUid.get(uid) as Blockable);
      const key = members.map(({ slot }) => `${slot.uid}:${slot.memory.words[DISPATCHES]}`).join(" ");
      const [first] = members;
      if (this.#seen.has(key)) first.post({ type: "break_cycle", cycle: [...members, first].map(({ id }) => id) });
      else seen.add(key);
    }
    this.#seen = seen;
  }
}

/**
 * Finds circles of actors that block on each other (by a synchronous call, or a cast into a full mailbox). Lists each
 * circle once, from its smallest uid on. The actors of a circle wait for ever, because an actor blocks on one other
 * actor at a time, and each of them waits for the next.
 *
 * @param blockedOn uid of an actor → uid of the actor it waits for
 */
function findCycles(blockedOn: ReadonlyMap<number, number>): number[][] {
  const cycles: number[][] = [];
  const done = new Set<number>();
  for (const start of blockedOn.keys()) {
    const path: number[] = [];
    for (let uid: number | undefined = start; uid !== undefined && !done.has(uid); uid = blockedOn.get(uid)) {
      const from = path.indexOf(uid);
      if (from !== -1) {
        cycles.push(rotate(path.slice(from)));
        break;
      }
      path.push(uid);
    }
    for (const uid of path) done.add(uid);
  }
  return cycles;
}

function rotate(cycle: number[]): number[] {
  const first = cycle.indexOf(Math.min(...cycle));
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
