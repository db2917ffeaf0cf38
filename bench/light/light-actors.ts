import { type ActorRef, type ActorSystem, dynamicSupervisor, isActorError, startSystem } from "@mini-otp/runtime";
import { Absent, type Contender, type Runner } from "../contender.js";
import { smallObject } from "../payloads.js";
import type Light from "./light.actor.js";
import { tokensFor, Wander } from "./sizes.js";

type LightRef = ActorRef<typeof Light>;

export interface LightActors {
  readonly system: ActorSystem;
  start(count: number): Promise<LightRef[]>;
}

/** A supervisor whose children share threads. Rejects with `Absent` where this version has none. */
export async function startLight(threads: number): Promise<LightActors> {
  const system = await startSystem({ logger: false });
  const spec = {
    id: "light",
    threads: { count: threads, heapCapMb: 512, queueBytes: 64 * 2 ** 20 },
    template: {
      actor: new URL("./light.actor.js", import.meta.url),
      mailbox: { capacity: 4_096, capacityBytes: 2 ** 20 },
    },
    maxChildren: 1_000_000,
  };
  try {
    const light = (await system.startChild(dynamicSupervisor(spec as never))) as unknown as {
      startChildren?(specs: readonly { id: string }[]): Promise<LightRef[]>;
    };
    if (light.startChildren === undefined) throw new Absent("this version has no light actors");
    let started = 0;
    return {
      system,
      start: (count) =>
        (light as Required<typeof light>).startChildren(
          Array.from({ length: count }, () => ({ id: `light-${started++}` })),
        ),
    };
  } catch (error) {
    await system.stop();
    if (isActorError(error, "ERR_INVALID_CHILD_SPEC") && /threads/.test(error.message)) {
      throw new Absent("this version has no light actors");
    }
    throw error;
  }
}

export function lightAmong(actors: number): Contender {
  return {
    name: "light actors",
    how: "in one thread, copied",
    async start(): Promise<Runner> {
      const { system, start } = await startLight(1);
      const [first] = await start(actors);
      const one = first.with({ timeoutMs: 60_000 });
      return {
        async round(work) {
          const startedMs = performance.now();
          await one.call("among", tokensFor(actors), work, smallObject());
          return { work: Math.max(work, tokensFor(actors)), elapsedMs: performance.now() - startedMs };
        },
        stop: () => system.stop(),
      };
    },
  };
}

/** Main casts to actors at random, over two threads. A round is over when all have been handled. */
export function lightFromMain(actors: number): Contender {
  return {
    name: "light actors",
    how: "cast, two threads",
    async start(): Promise<Runner> {
      const { system, start } = await startLight(2);
      const refs = await start(actors);
      const wander = new Wander();
      const message = smallObject();
      return {
        async round(work) {
          const startedMs = performance.now();
          const touched = new Set<LightRef>();
          for (let sent = 0; sent < work; sent++) {
            const to = refs[wander.next(actors)];
            touched.add(to);
            if (to.tryCast("take", message) !== "ok") await to.cast("take", message);
          }
          // A call is behind all casts to the same actor.
          await inTurn([...touched], 1_024, (to) => to.call("take", message));
          return { work: work + touched.size, elapsedMs: performance.now() - startedMs };
        },
        stop: () => system.stop(),
      };
    },
  };
}

/** Main calls actors at random, so many at a time. */
export function lightCalls(actors: number, window: number): Contender {
  return {
    name: "light actors",
    how: "call, two threads",
    async start(): Promise<Runner> {
      const { system, start } = await startLight(2);
      const refs = await start(actors);
      const wander = new Wander();
      const message = smallObject();
      return {
        async round(work) {
          const startedMs = performance.now();
          let left = work;
          const lane = async (): Promise<void> => {
            while (left-- > 0) await refs[wander.next(actors)].call("take", message);
          };
          await Promise.all(Array.from({ length: window }, lane));
          return { work, elapsedMs: performance.now() - startedMs };
        },
        stop: () => system.stop(),
      };
    },
  };
}

async function inTurn<T>(all: readonly T[], window: number, work: (one: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < all.length) await work(all[next++]);
  };
  await Promise.all(Array.from({ length: window }, lane));
}
