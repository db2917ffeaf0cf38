import { type RouterRef, router, startSystem } from "@mini-otp/runtime";
import type { Contender, Runner } from "../contender.js";
import { smallObject } from "../payloads.js";
import type Keyed from "./keyed.actor.js";
import { tokensFor, Wander } from "./sizes.js";

const IDS_A_MESSAGE = 1_000;

/** Keyed actors behind a router, with a key for each id. */
export async function startKeyed(size: number, keys: number) {
  const system = await startSystem({ logger: false });
  const keyed = await system.startChild(
    router<typeof Keyed>({
      id: "keyed",
      actor: new URL("./keyed.actor.js", import.meta.url),
      size,
      route: "consistent_hash",
      heapCapMb: 512,
      handlerTimeoutMs: 60_000,
    }),
  );
  const ids = Array.from({ length: keys }, (_, id) => `key-${id}`);
  const refs = ids.map((id) => keyed.forKey(id));
  return { system, keyed, ids, refs };
}

/** Makes all keys, each with its state. Resolves when all are there. */
export async function makeKeys(keyed: RouterRef<typeof Keyed>, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += IDS_A_MESSAGE) {
    await keyed.forKey(0).call("start", ids.slice(at, at + IDS_A_MESSAGE));
  }
}

export function keyedAmong(actors: number): Contender {
  return {
    name: "keyed actor",
    how: "from key to key in it, copied",
    async start(): Promise<Runner> {
      const { system, keyed, ids } = await startKeyed(1, actors);
      await makeKeys(keyed, ids);
      const one = keyed.forKey(0).with({ timeoutMs: 60_000 });
      return {
        async round(work) {
          const startedMs = performance.now();
          const handled = await one.call("among", tokensFor(actors), work);
          return { work: handled, elapsedMs: performance.now() - startedMs };
        },
        stop: () => system.stop(),
      };
    },
  };
}

/** Main casts to keys at random, over two threads. A round is over when all have been handled. */
export function keyedFromMain(actors: number): Contender {
  return {
    name: "keyed actors",
    how: "cast, two threads",
    async start(): Promise<Runner> {
      const { system, keyed, ids, refs } = await startKeyed(2, actors);
      const wander = new Wander();
      const message = smallObject();
      return {
        async round(work) {
          const startedMs = performance.now();
          for (let sent = 0; sent < work; sent++) {
            const to = wander.next(actors);
            if (refs[to].tryCast("take", ids[to], message) !== "ok") await refs[to].cast("take", ids[to], message);
          }
          // Behind all of them in each mailbox.
          await keyed.callAll("sync");
          return { work, elapsedMs: performance.now() - startedMs };
        },
        stop: () => system.stop(),
      };
    },
  };
}

/** Main calls keys at random, so many at a time. */
export function keyedCalls(actors: number, window: number): Contender {
  return {
    name: "keyed actors",
    how: "call, two threads",
    async start(): Promise<Runner> {
      const { system, ids, refs } = await startKeyed(2, actors);
      const wander = new Wander();
      const message = smallObject();
      return {
        async round(work) {
          const startedMs = performance.now();
          let left = work;
          const lane = async (): Promise<void> => {
            while (left-- > 0) {
              const to = wander.next(actors);
              await refs[to].call("take", ids[to], message);
            }
          };
          await Promise.all(Array.from({ length: window }, lane));
          return { work, elapsedMs: performance.now() - startedMs };
        },
        stop: () => system.stop(),
      };
    },
  };
}
