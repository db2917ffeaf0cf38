import { defineActor } from "@mini-otp/worker-host";
import { type SmallObject, smallObject } from "../payloads.js";
import { initial, type Kept, Wander } from "./sizes.js";

/** Has the state of many keys in a Map. */
export default defineActor({
  init: () => ({ keys: new Map<string, Kept>(), wander: new Wander() }),
  handlers: {
    start({ state: { keys } }, ids: readonly string[]) {
      for (const id of ids) keys.set(id, initial(keys.size));
    },
    take({ state: { keys } }, id: string, message: SmallObject) {
      const kept = keys.get(id) ?? initial(keys.size);
      keys.set(id, kept);
      kept.handled++;
      kept.last = message;
      return message.id;
    },
    handled({ state: { keys } }) {
      let handled = 0;
      for (const kept of keys.values()) handled += kept.handled;
      return handled;
    },
    /** Messages from key to key in this thread: a queue of its own, a copy of each message, a look-up for each. */
    among({ state: { keys, wander } }, tokens: number, count: number) {
      const ids = [...keys.keys()];
      let queue: [string, SmallObject][] = [];
      for (let token = 0; token < tokens; token++) queue.push([ids[wander.next(ids.length)], smallObject()]);
      let handled = 0;
      while (handled < count) {
        const waiting = queue;
        queue = [];
        for (const [id, message] of waiting) {
          const kept = keys.get(id) as Kept;
          kept.handled++;
          kept.last = message;
          handled++;
          const { id: number, name, ok, score } = message;
          queue.push([ids[wander.next(ids.length)], { id: number, name, ok, score }]);
        }
      }
      return handled;
    },
    sync() {},
    heapUsed: () => {
      (globalThis as { gc?: () => void }).gc?.();
      return process.memoryUsage().heapUsed;
    },
  },
});
