import { promiseHooks } from "node:v8";

/**
 * Whose code runs. A promise belongs to the one in whose turn it was made, over timers and further promises: V8's hooks
 * mark each promise, and bring the mark back before its continuation runs.
 */
export class Attribution<Owner extends object> {
  current: Owner | undefined = undefined;
  /** Code of an owner's is about to run that no handler of its has called: a timer's, or what a promise lets go on. */
  enters: (owner: Owner) => void = () => {};
  readonly #mark = Symbol("owner");
  readonly #failed: (owner: Owner, error: unknown) => void;

  /** `failed` learns of what a callback of an owner's own throws: a timer's, a microtask's. */
  constructor(failed: (owner: Owner, error: unknown) => void) {
    this.#failed = failed;
  }

  /** Once per thread, before the actor's module is loaded. */
  install(): void {
    const mark = this.#mark;
    promiseHooks.createHook({
      init: (promise: any) => {
        if (this.current !== undefined) promise[mark] = this.current;
      },
      before: (promise: any) => {
        const owner: Owner | undefined = promise[mark];
        this.current = owner;
        if (owner !== undefined) this.enters(owner);
      },
      after: () => {
        this.current = undefined;
      },
    });
    const timers = globalThis as unknown as Record<string, (callback: unknown, ...rest: unknown[]) => unknown>;
    for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"]) {
      const original = timers[name];
      const wrapped = (callback: unknown, ...rest: unknown[]): unknown => original(this.#owned(callback), ...rest);
      // Node's promisify finds its own variant under a symbol.
      for (const key of Object.getOwnPropertySymbols(original)) {
        Object.defineProperty(wrapped, key, Object.getOwnPropertyDescriptor(original, key) as PropertyDescriptor);
      }
      timers[name] = wrapped;
    }
    const nextTick = process.nextTick as unknown as (callback: unknown, ...rest: unknown[]) => void;
    process.nextTick = ((callback: unknown, ...rest: unknown[]) => nextTick(this.#owned(callback), ...rest)) as never;
  }

  /** The owner of a promise that was rejected and not handled. */
  ownerOf(promise: object): Owner | undefined {
    return (promise as Record<symbol, Owner | undefined>)[this.#mark];
  }

  /** Runs as this owner: what it throws is the owner's. */
  as(owner: Owner, task: () => void): void {
    const before = this.current;
    this.current = owner;
    this.enters(owner);
    try {
      task();
    } catch (error) {
      this.#failed(owner, error);
    } finally {
      this.current = before;
    }
  }

  /** Runs as no owner: what it starts is the partition's own. */
  asNone<T>(task: () => T): T {
    const before = this.current;
    this.current = undefined;
    try {
      return task();
    } finally {
      this.current = before;
    }
  }

  #owned(callback: unknown): unknown {
    const owner = this.current;
    if (owner === undefined || typeof callback !== "function") return callback;
    return (...args: unknown[]): void => this.as(owner, () => callback(...args));
  }
}
