import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { NodeAdapter } from "../baseline/comlink.js";
import { HEAP_MB, TASK_MS, type WorkName } from "./work.js";

/** Runs work in one of two threads. */
export type Run = (name: WorkName) => Promise<unknown>;

const resourceLimits = { maxOldGenerationSizeMb: HEAP_MB };
const threads = { minThreads: 2, maxThreads: 2 };

/** Two threads of each library, with the limits of memory and time that it can set. */
export const LIBRARIES: Record<string, () => Promise<Run>> = {
  async "mini-otp"() {
    const { router, startSystem } = await import("@mini-otp/runtime");
    const system = await startSystem({ logger: false });
    const actors = await system.startChild(
      router({
        id: "work",
        actor: new URL("./work.actor.js", import.meta.url),
        size: 2,
        route: "round_robin",
        heapCapMb: HEAP_MB,
        handlerTimeoutMs: TASK_MS,
      }),
    );
    return (name) => actors.call(name);
  },
  async piscina() {
    const { Piscina } = await import("piscina");
    const filename = fileURLToPath(new URL("./task.js", import.meta.url));
    const pool = new Piscina({ filename, ...threads, resourceLimits });
    return (name) => pool.run(name, { signal: AbortSignal.timeout(TASK_MS) });
  },
  async tinypool() {
    const { default: Tinypool } = await import("tinypool");
    const filename = new URL("./task.js", import.meta.url).href;
    const pool = new Tinypool({ filename, ...threads, resourceLimits });
    return (name) => pool.run(name, { signal: AbortSignal.timeout(TASK_MS) });
  },
  async workerpool() {
    const { default: library } = await import("workerpool");
    const pool = library.pool(fileURLToPath(new URL("./workerpool.worker.js", import.meta.url)), {
      minWorkers: 2,
      maxWorkers: 2,
      workerType: "thread",
      workerThreadOpts: { resourceLimits },
    });
    return async (name) => pool.exec(name, []).timeout(TASK_MS);
  },
  /** It has threads, and no limits of its own: the worker's memory is limited by Node. */
  async comlink() {
    const { default: library } = await import("comlink");
    const { default: adapter } = await import("comlink/dist/umd/node-adapter.js");
    const remotes = [1, 2].map(() => {
      const worker = new Worker(new URL("./comlink.worker.js", import.meta.url), { resourceLimits });
      return library.wrap<Record<WorkName, () => unknown>>((adapter as unknown as NodeAdapter)(worker));
    });
    let next = 0;
    return async (name) => remotes[next++ % remotes.length][name]();
  },
};
