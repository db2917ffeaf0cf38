import { C, S } from "./program-counters.js";
import { CONSUMER_WORDS, type PARKED, PC, SENDERS, SPACE, type State } from "./words.js";
import type { Program } from "./world.js";

/** `Atomics.notify(words, PARKED)`: the consumer's wait returns. */
export function notifyParked(s: State): void {
  if (s[CONSUMER_WORDS + PC] === C.asleep) s[CONSUMER_WORDS + PC] = C.retract;
}

/** `Atomics.notify(words, SPACE)`: the senders' waits return, and they go round in `waitForRoom`. */
export function notifySpace(s: State): void {
  for (const sender of SENDERS) if (s[sender + PC] === S.asleep) s[sender + PC] = S.announce;
}

/** `wakeAll` of doorbell.ts, at these two program counters. */
export function wakeAll(
  who: string,
  word: typeof SPACE | typeof PARKED,
  store: number,
  notify: number,
  after: (s: State) => number,
): Program {
  const name = word === SPACE ? "SPACE" : "PARKED";
  return {
    [store]: {
      text: `${who}: wakeAll, store(${name}, 0)`,
      run(s) {
        s[word] = 0;
        return notify;
      },
    },
    [notify]: {
      text: `${who}: wakeAll, notify(${name})`,
      run(s) {
        if (word === SPACE) notifySpace(s);
        else notifyParked(s);
        return after(s);
      },
    },
  };
}
