import { once } from "node:events";
import { Socket } from "node:net";
import { MessageChannel, Worker } from "node:worker_threads";
import { type CollectGarbage, garbageCollector } from "../protocol/port/garbage-collector.js";
import { COLLECT_HOOK, LOOK_HOOK, ORDERS_FD } from "../protocol/port/process.js";
import { endProcess } from "./end-process.js";
import { FrameReader } from "./frames.js";
import type { LookInto } from "./looks.js";
import type { CapOrder, LookOrder, WatcherData } from "./watcher.js";

/** The first message, as it has come; and what begins the watch over memory, once the runtime's own code is loaded. */
export interface WatchedProcess<Boot> {
  readonly booting: Promise<Boot>;
  /** `capMb` is over what the process has now. Resolves when that has been measured. */
  watch(capMb: number): Promise<void>;
  /** Calls `listener` with the messages that follow the first. */
  onMessage(listener: (message: unknown) => void): void;
}

/**
 * Makes this process one that somebody watches: the user's functions run on its main thread, because some native addons
 * load nowhere else. A thread beside it, the watcher, ends the process when what has started it has ended, or when memory
 * is over its cap, whatever the function does. `watcher` is its file.
 */
export function watchedProcess<Boot>(watcher: URL): WatchedProcess<Boot> {
  // A terminal and some service managers send these to every process of a program. Main decides when this one ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

  const orders = new Orders<Boot>();
  const { port1: port, port2 } = new MessageChannel();
  // It starts while the first message and the other modules are on their way. Its errors are this process's.
  new Worker(watcher, {
    env: {},
    workerData: { port: port2 } satisfies WatcherData,
    transferList: [port2],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  const watching = once(port, "message");
  return {
    booting: orders.first,
    onMessage: (listener) => orders.listen(listener),
    async watch(capMb) {
      giveCollector();
      await watching;
      port.postMessage({ capMb } satisfies CapOrder);
      // Its answer says that it has measured what the process has without the user's code.
      await once(port, "message");
      // What no inspector can have done.
      port.on("message", ({ step, request }: LookOrder) => {
        const look = Reflect.get(globalThis, Symbol.for(LOOK_HOOK)) as LookInto | undefined;
        look?.(step, request, false);
      });
      port.unref();
    },
  };
}

const { nextTick } = process;

/** What this process is sent. The pipe keeps it alive, and its end ends it. */
class Orders<First> {
  readonly first: Promise<First>;
  #take: (message: unknown) => void;
  readonly #early: unknown[] = [];

  constructor() {
    this.#take = () => {};
    this.first = new Promise((resolve) => {
      this.#take = (first) => {
        this.#take = (message) => void this.#early.push(message);
        resolve(first as First);
      };
    });
    // Each in a tick of its own: what one has resolved runs before the next, and what one throws is no other's.
    const reader = new FrameReader((message) => nextTick(() => this.#take(message)));
    const pipe = new Socket({ fd: ORDERS_FD, readable: true, writable: false });
    pipe.on("data", (chunk: Buffer) => reader.push(chunk));
    pipe.on("error", () => {});
    pipe.once("close", endProcess);
  }

  listen(listener: (message: unknown) => void): void {
    this.#take = listener;
    for (const message of this.#early.splice(0)) nextTick(listener, message);
  }
}

function giveCollector(): void {
  let collectGarbage: CollectGarbage | undefined;
  // Twice: V8 frees buffers only in the collection after the one that has found them unreachable.
  const value = (): void => {
    collectGarbage ??= garbageCollector();
    collectGarbage();
    collectGarbage();
  };
  Object.defineProperty(globalThis, Symbol.for(COLLECT_HOOK), { value });
}
