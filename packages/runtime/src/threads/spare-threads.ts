import type { ActorThread, ThreadListener, ThreadOptions } from "./actor-thread.js";

/** Starts a thread that loads its module and waits to become an actor. */
export type StartThread = (listener: ThreadListener) => ActorThread;

/** `close` waits this long for a killed thread to exit. */
const GIVE_UP_MS = 100;

interface Spare {
  readonly key: string;
  /** What it loads: the first URL to try. */
  readonly module: string;
  readonly thread: ActorThread;
  loaded: boolean;
  readonly timer: NodeJS.Timeout;
}

/**
 * Threads that have loaded an actor's module already, so that a restart need not wait for a thread to start. Only
 * actors that were restarted before have one, because they are likely to crash again.
 */
export class SpareThreads {
  readonly limit: number;
  // In the order they were made: the oldest goes when there are too many.
  readonly #spares = new Set<Spare>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  readonly #ends: (thread: ActorThread) => void;

  /** Calls `ends` with each thread before it ends that thread. */
  constructor(limit: number, ends: (thread: ActorThread) => void) {
    this.limit = limit;
    this.#ends = ends;
  }

  get count(): number {
    return this.#spares.size;
  }

  /** The number of spares that have loaded their module. */
  get ready(): number {
    return [...this.#spares].filter(({ loaded }) => loaded).length;
  }

  get threads(): ActorThread[] {
    return [...this.#spares].map(({ thread }) => thread);
  }

  /** Gives a spare away, one with its module loaded if there is one. The caller has to `listen` to it. */
  take(key: string): ActorThread | undefined {
    const fitting = [...this.#spares].filter((spare) => spare.key === key);
    const spare = fitting.find(({ loaded }) => loaded) ?? fitting[0];
    if (spare === undefined) return undefined;
    this.#remove(spare);
    spare.thread.hold();
    return spare.thread;
  }

  /**
   * The spares there are for this module, whatever their caps. Call what it returns to end those of them that are left:
   * the module's file may have changed since they loaded it.
   */
  loadedFrom(module: string): () => void {
    const found = [...this.#spares].filter((spare) => spare.module === module);
    return () => {
      for (const spare of found) if (this.#spares.has(spare)) this.#end(spare);
    };
  }

  /**
   * Starts a spare for `key` that loads `module`, unless there is one. Ends it if its module does not load within
   * `loadTimeoutMs`.
   */
  provide(key: string, module: string, loadTimeoutMs: number, start: StartThread): void {
    if (this.#closed || this.limit === 0 || [...this.#spares].some((spare) => spare.key === key)) return;
    const [oldest] = this.#spares;
    if (this.#spares.size >= this.limit) this.#end(oldest);
    const thread = start({
      onMessage: ({ type }) => {
        if (type === "loaded") spare.loaded = true;
        else if (type === "module_failed") this.#remove(spare);
      },
      onExit: () => this.#remove(spare),
    });
    const timer = setTimeout(() => {
      if (!spare.loaded) this.#end(spare);
    }, loadTimeoutMs).unref();
    const spare: Spare = { key, module, thread, loaded: false, timer };
    this.#spares.add(spare);
    // A waiting spare must not keep the process alive. After the lines above, because `abandon` takes what the thread has
    // posted so far: when main was held up, that it has loaded, or failed.
    thread.abandon();
  }

  /** Ends all spares and makes no more. Resolves when their threads have exited, or their time is over. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const spare of this.#spares) this.#end(spare);
    await Promise.all(this.#ending);
  }

  #end(spare: Spare): void {
    this.#remove(spare);
    this.end(spare.thread);
  }

  /** Ends a thread that no actor uses. `close` waits for it. */
  end(thread: ActorThread): void {
    this.#ends(thread);
    const exited = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GIVE_UP_MS);
      thread.listen({
        onMessage: () => {},
        onExit: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
    this.#ending.add(exited);
    void exited.then(() => this.#ending.delete(exited));
    thread.terminate();
  }

  #remove(spare: Spare): void {
    clearTimeout(spare.timer);
    this.#spares.delete(spare);
  }
}

/** Threads with the same key are interchangeable until they become an actor. */
export function spareKey({ heapCapMb, headroomMb, env, execArgv, boot }: ThreadOptions): string {
  const { moduleUrls, offHeapCapMb, console, process } = boot;
  const variables = Object.entries(process?.env ?? env.variables).flat();
  const counts = [process === undefined, moduleUrls.length, variables.length];
  const parts = [
    offHeapCapMb,
    console,
    heapCapMb,
    headroomMb,
    env.inherited,
    ...counts,
    ...moduleUrls,
    ...variables,
    ...(process?.execArgv ?? execArgv ?? []),
  ];
  // Not JSON, because an application's own `Array.prototype.toJSON` could make two keys equal.
  return parts.map((part) => `${String(part).length}:${part}`).join("");
}
