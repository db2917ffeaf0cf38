import { getHeapStatistics } from "node:v8";
import { Absent } from "../contender.js";
import { smallObject } from "../payloads.js";
import { makeKeys, startKeyed } from "./keyed-actors.js";
import { startLight } from "./light-actors.js";
import { PlainObjects } from "./plain-objects.js";
import { initial } from "./sizes.js";

// Usage: node --expose-gc start-child.js <contender> <actors>. Prints how long all took to start, and what each takes.
const [contender, countText] = process.argv.slice(2);
const count = Number(countText);

const mainHeap = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return getHeapStatistics().used_heap_size;
};

/** What it starts is returned, so that it is alive when it is weighed. */
const CONTENDERS: Record<string, () => Promise<{ startMs: number; bytes: number; kept: unknown }>> = {
  async plain() {
    const before = mainHeap();
    const startedMs = performance.now();
    const kept = new PlainObjects(count);
    const startMs = performance.now() - startedMs;
    return { startMs, bytes: mainHeap() - before, kept };
  },
  async nact() {
    const { default: library } = await import("nact");
    const system = library.start();
    let missing = count;
    let onAll = (): void => {};
    const all = new Promise<void>((resolve) => {
      onAll = resolve;
    });
    const before = mainHeap();
    const startedMs = performance.now();
    // An actor of nact has no state before its first message.
    const kept = Array.from({ length: count }, (_, id) =>
      library.spawn(
        system,
        (state = initial(id)) => {
          if (--missing === 0) onAll();
          return state;
          // The names that nact makes up collide among so many.
        },
        `actor-${id}`,
      ),
    );
    for (const ref of kept) library.dispatch(ref, smallObject());
    await all;
    const startMs = performance.now() - startedMs;
    return { startMs, bytes: mainHeap() - before, kept };
  },
  async keyed() {
    const { keyed, ids } = await startKeyed(1, count);
    const one = keyed.forKey(0).with({ timeoutMs: 60_000 });
    const before = await one.call("heapUsed");
    const startedMs = performance.now();
    await makeKeys(keyed, ids);
    const startMs = performance.now() - startedMs;
    return { startMs, bytes: (await one.call("heapUsed")) - before, kept: keyed };
  },
  async light() {
    const { start } = await startLight(1);
    const [first] = await start(1);
    const one = first.with({ timeoutMs: 60_000 });
    const mainBefore = mainHeap();
    const before = await one.call("heapUsed");
    const startedMs = performance.now();
    const kept = await start(count);
    const startMs = performance.now() - startedMs;
    // References on main and what the thread keeps, both.
    const bytes = (await one.call("heapUsed")) - before + mainHeap() - mainBefore;
    return { startMs, bytes, kept };
  },
};

try {
  const { startMs, bytes } = await CONTENDERS[contender]();
  console.log(JSON.stringify({ startMs, bytesEach: bytes / count }));
} catch (error) {
  if (!(error instanceof Absent)) throw error;
  console.log(JSON.stringify({ absent: error.message }));
}
process.exit(0);
