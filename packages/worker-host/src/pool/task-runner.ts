import v8 from "node:v8";
import { isActorDefinition } from "../actor/define-actor.js";
import { isStream, sourceOf } from "../loop/outgoing-stream.js";
import { loadFirst } from "../module/load-module.js";
import { shorten } from "../protocol/errors/describe.js";
import { ActorError } from "../protocol/errors/errors.js";
import type { TaskFailure, TaskMessage } from "../protocol/port/pool-task.js";
import type { Connection, Sender } from "../protocol/refs/actor-ref.js";
import { Codec } from "../protocol/values/codec.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import { decodeTask } from "../protocol/values/task-value.js";
import { type StreamPort, streamTo } from "./stream-task.js";

const { getHeapStatistics } = v8;
/** Memory is measured this often at most, because that takes as long as a tiny task. */
const MEASURE_MS = 1;
const MOST_US = 2 ** 31 - 1;

/** Where main finds what becomes of a task. */
export interface TaskReports<R> {
  /** The function is called now. */
  called(place: number): void;
  /** The function has ended. All are whole numbers; `grewKb` and `memoryKb` are 0 when memory was not measured. */
  measured(place: number, tookUs: number, grewKb: number, memoryKb: number): void;
  /** What the function has returned, for main. Throws ERR_NOT_CLONEABLE, ERR_MESSAGE_TOO_LARGE. */
  resultOf(result: unknown, codec: Codec): R;
}

/** Loads a pool's module, and calls its functions. The same in a thread and in a process. */
export class TaskRunner<R> {
  readonly codec = new Codec(outOfReach());
  /** Rejects with a TaskFailure. */
  readonly loading: Promise<unknown>;
  readonly #id: string;
  readonly #moduleUrls: readonly string[];
  readonly #reports: TaskReports<R>;
  #module: Record<string, unknown> | undefined;
  #measuredBytes = 0;
  #measuredAt = 0;

  constructor(id: string, moduleUrls: readonly string[], reports: TaskReports<R>) {
    this.#id = id;
    this.#moduleUrls = moduleUrls;
    this.#reports = reports;
    this.loading = loadFirst(moduleUrls, (specifier) => import(specifier)).then(
      ({ exports }) => {
        this.#module = exports as Record<string, unknown>;
        this.#measuredBytes = memoryBytes();
      },
      (error: unknown) => {
        throw this.#failure("module", error);
      },
    );
    // No unhandled rejection: each task awaits the module and gets the error.
    this.loading.catch(() => {});
  }

  /**
   * Throws or rejects with a TaskFailure. Returns no promise for a function that returns none, because tiny tasks notice
   * each.
   */
  run(message: TaskMessage): R | undefined | Promise<R | undefined> {
    if (this.#module !== undefined) return this.#call(message, this.#module);
    return this.loading.then(() => this.#call(message, this.#module as Record<string, unknown>));
  }

  #call({ name, task, place }: TaskMessage, exports: Record<string, unknown>): R | undefined | Promise<R> {
    if (name === undefined) return undefined;
    const run = functionNamed(name, exports);
    if (run === undefined) {
      const why = isActorDefinition(exports.default)
        ? "is an actor's module, and a pool runs plain functions; start the actor by startChild, or several of it by router"
        : `has no such function; it has: ${shorten(Object.keys(exports).join(", "), 500)}`;
      const message = `id=${this.#id} name=${name}: ${this.#moduleUrls[0]} ${why}`;
      throw this.#failure("task", new ActorError("ERR_UNKNOWN_METHOD", message, { id: this.#id, method: name }));
    }
    this.#reports.called(place);
    const startedAt = performance.now();
    const port = task?.isStream ? (task.transferred.at(-1) as unknown as StreamPort) : undefined;
    const threw = (error: unknown): never => {
      this.#measure(place, startedAt);
      throw this.#failure("task", error);
    };
    const returned = (result: unknown): R | Promise<R> => {
      if (port !== undefined || isStream(result)) return this.#streamed(name, port, result).then(ended, threw);
      return ended(result);
    };
    const ended = (result: unknown): R => {
      let value: R;
      try {
        value = this.#reports.resultOf(result, this.codec);
      } catch (error) {
        return threw(error);
      }
      this.#measure(place, startedAt);
      return value;
    };
    let result: unknown;
    let isPromise: boolean;
    try {
      result = run(task === undefined ? undefined : decodeTask(this.codec, task));
      isPromise = typeof (result as { then?: unknown } | null | undefined)?.then === "function";
    } catch (error) {
      return threw(error);
    }
    return isPromise ? Promise.resolve(result).then(returned, threw) : returned(result);
  }

  /** Sends the items of the stream that a task has returned to `port`. Rejects when there is only one of the two. */
  async #streamed(name: string, port: StreamPort | undefined, result: unknown): Promise<void> {
    const source = isStream(result) ? sourceOf(result) : undefined;
    const facts = { id: this.#id, method: name };
    if (port === undefined) {
      void Promise.resolve(source?.return?.()).catch(() => {});
      const message = `id=${this.#id} name=${name}: its function answers with a stream; read it with pool.stream`;
      throw new ActorError("ERR_IS_STREAM", message, facts);
    }
    if (source === undefined) {
      const message = `id=${this.#id} name=${name}: its function has returned no stream; get its result with pool.run`;
      throw new ActorError("ERR_NO_STREAM", message, facts);
    }
    try {
      await streamTo(port, this.codec, name, source);
    } finally {
      port.close();
    }
  }

  #measure(place: number, startedAt: number): void {
    const endedAt = performance.now();
    const tookUs = Math.max(1, Math.min(MOST_US, Math.trunc((endedAt - startedAt) * 1000)));
    if (endedAt - this.#measuredAt < MEASURE_MS) {
      this.#reports.measured(place, tookUs, 0, 0);
      return;
    }
    const bytes = memoryBytes();
    const grewKb = Math.max(1, Math.trunc((bytes - this.#measuredBytes) / 1024));
    this.#reports.measured(place, tookUs, grewKb, Math.trunc(bytes / 1024));
    this.#measuredBytes = bytes;
    this.#measuredAt = endedAt;
  }

  /**
   * Encodes a thrown value, because a port's clone of an error loses its properties, and a failed clone ends the thread.
   */
  #failure(of: TaskFailure["of"], error: unknown): TaskFailure {
    return { of, error: encodeForeign(this.codec, error) };
  }
}

function memoryBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** Looks in the default export too, because that is where Node puts the exports of a CommonJS module. */
function functionNamed(name: string, module: Record<string, unknown>): ((task: unknown) => unknown) | undefined {
  const { default: main } = module;
  for (const exports of [module, main]) {
    // Inherited properties are not exports.
    if (exports === undefined || exports === null || !Object.hasOwn(exports, name)) continue;
    const found = (exports as Record<string, unknown>)[name];
    if (typeof found === "function") return found as (task: unknown) => unknown;
  }
  return undefined;
}

/** References pass through what runs a pool's tasks, which sends no messages. */
function outOfReach(): Sender {
  const refusal = ({ id }: Connection): ActorError =>
    new ActorError("ERR_WRONG_THREAD", `id=${id}: a pool's thread sends no messages`, { id });
  const reject = (to: Connection): Promise<never> => Promise.reject(refusal(to));
  const refuse = (to: Connection): never => {
    throw refusal(to);
  };
  const connect = (_address: number, _uid: number, id: string): Connection => ({ id });
  return { connect, call: reject, cast: reject, send: reject, callSync: refuse, castSync: refuse, tryCast: refuse };
}
