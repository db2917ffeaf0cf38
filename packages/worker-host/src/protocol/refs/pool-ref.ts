import { availableParallelism } from "node:os";
import { ActorError } from "../errors/errors.js";
import { INSPECT } from "../errors/inspect-error.js";
import { withCaller } from "../errors/remote-error.js";
import type { RunOptions, Sender, TaskOptions } from "./actor-ref.js";
import type { ItemOf } from "./actor-types.js";
import { ItemStream } from "./item-stream.js";
import { type MapOptions, MappedTasks } from "./pool-map.js";
import { takeMapOptions, takeRunOptions, takeSource } from "./ref-options.js";
import { taskAborted } from "./refusal.js";
import { checkTransferList, uncloneableFor } from "./transfer-list.js";
import { whenAborted } from "./when-aborted.js";

/** The task that a function of the type `F` takes. */
export type TaskOf<F> = F extends (task: infer T, ...rest: never[]) => unknown ? T : never;
/** What comes of a task that a function of the type `F` has. */
export type ResultOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;
/** The items that a task yields which a function of the type `F` has. */
export type ItemsOf<F> = 0 extends 1 & ResultOf<F> ? any : ItemOf<ResultOf<F>>;

const NO_OPTIONS: TaskOptions = Object.freeze({});

/** Where to send tasks to, in any thread: a message value as an actor's reference is. Valid over restarts. */
export class PoolRef<F extends (task: any) => unknown = (task: any) => any> {
  /** Path from the root. */
  readonly id: string;
  /** @internal */
  readonly uid: number;
  readonly #sender: Sender;

  /** @internal */
  constructor(sender: Sender, uid: number, id: string) {
    this.id = id;
    this.uid = uid;
    this.#sender = sender;
  }

  /**
   * Runs a task in a thread of the pool's. Does not block. Always settles: with what the function returns, or rejects
   * with what it throws; with ERR_MAILBOX_FULL (the queue is full), ERR_CALL_ABORTED, ERR_NOT_CLONEABLE (`path` says
   * which part of the task or the result), ERR_MESSAGE_TOO_LARGE, ERR_UNKNOWN_METHOD (no such export), ERR_NOPROC (the pool does not run), or ERR_CALL_EXIT: the thread ended before
   * the task did, and `reason` says why (`heap_cap_exceeded`, `unresponsive`, `exit_called`, `error`, `shutdown`).
   * ERR_INVALID_OPTION for options that do not exist or make no sense.
   */
  async run(task: TaskOf<F>, options?: RunOptions): Promise<ResultOf<F>> {
    const taken = options === undefined ? NO_OPTIONS : this.#takeOptions(options);
    try {
      return await this.#runTask(task, taken);
    } catch (error) {
      throw withCaller(error, this.id, import.meta.url);
    }
  }

  /**
   * Runs a task for each item of an iterable or async iterable, and returns the results as they are read: in the order
   * of the items, or with `ordered: false` as they come. Nothing begins before the first read, and an item is taken only
   * when fewer than `concurrency` tasks are under way or unread, so memory stays flat however long the source is. Its
   * tasks wait even where the pool's queue is full; there are never more than `concurrency` of them.
   *
   * The first failure ends it: the read rejects with it, and the other tasks are ended as by their `signal`. A failure is
   * what `run` rejects with, what the source throws, or ERR_CALL_ABORTED when `signal` is aborted. `break` and `return()`
   * end tasks and source too. Throws ERR_INVALID_OPTION for options that make no sense, and for what is not iterable.
   */
  map(
    source: Iterable<TaskOf<F> | PromiseLike<TaskOf<F>>> | AsyncIterable<TaskOf<F>>,
    options: MapOptions = {},
  ): AsyncIterableIterator<ResultOf<F>> {
    const taken = takeMapOptions(this.id, options);
    const { signal, name, concurrency = this.parallelTasks, ordered = true } = taken;
    const named = name === undefined ? {} : { name };
    return new MappedTasks(
      takeSource(this.id, source),
      (task: TaskOf<F>, signal) => this.#runTask(task, { ...named, signal, waits: true }),
      { concurrency, ordered },
      (fail) => {
        if (signal === undefined) return () => {};
        const onAbort = (): void => fail(taskAborted(this.id, signal));
        if (signal.aborted) onAbort();
        return whenAborted(signal, onAbort);
      },
    );
  }

  /** How many tasks `map` has under way unless it is told. @internal */
  protected get parallelTasks(): number {
    return availableParallelism();
  }

  #runTask(task: TaskOf<F>, options: TaskOptions): Promise<ResultOf<F>> {
    if (this.#sender.runTask === undefined) return Promise.reject(outOfReach(this.id));
    return this.#sender.runTask(this.uid, this.id, task, options) as Promise<ResultOf<F>>;
  }

  #takeOptions(options: RunOptions): RunOptions {
    const taken = takeRunOptions(this.id, options);
    try {
      checkTransferList(taken.transferList ?? []);
    } catch (error) {
      throw uncloneableFor({ id: this.id }, error);
    }
    return taken;
  }

  /**
   * Runs a task whose function is a generator, or returns one or a `ReadableStream`, and reads its items: as `ref.stream`
   * of an actor, with the same credits, the same ends, and the codes of `run`. The task begins with the first `next()`,
   * and holds its thread until its stream has ended; `taskTimeoutMs` is for all of it. `break`, `return()` and `signal` end the
   * generator, whose `finally` has a second; then its thread is ended. A thread that ends before its task ends the
   * stream with ERR_CALL_EXIT, after the items that it had sent.
   */
  stream(
    task: TaskOf<F>,
    options: RunOptions = {},
  ): AsyncIterableIterator<ItemsOf<F>, undefined, undefined> & AsyncDisposable {
    return new ItemStream<ItemsOf<F>>(this.id, (reader) => {
      const sender = this.#sender;
      if (sender.streamTask === undefined) throw outOfReach(this.id);
      sender.streamTask(this.uid, this.id, task, this.#takeOptions(options), reader);
    });
  }

  /** `PoolRef(root/thumbnails)`, in a template as in `util.inspect` and `console.log`. */
  toString(): string {
    return `PoolRef(${this.id})`;
  }

  toJSON(): string {
    return `PoolRef(${this.id})`;
  }

  /** @internal */
  [INSPECT](): string {
    return this.toString();
  }
}

function outOfReach(id: string): ActorError {
  return new ActorError("ERR_WRONG_THREAD", `id=${id}: a pool is out of reach here`, { id });
}
