import { ActorError } from "../errors/errors.js";
import type { RunOptions, Sender } from "./actor-ref.js";
import { takeRunOptions } from "./ref-options.js";
import { checkTransferList } from "./transfer-list.js";

/** The task that a function of the type `F` takes. */
export type TaskOf<F> = F extends (task: infer T, ...rest: never[]) => unknown ? T : never;
/** What comes of a task that a function of the type `F` has. */
export type ResultOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;

/** `util.inspect.custom`. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

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
  async run(task: TaskOf<F>, options: RunOptions = {}): Promise<ResultOf<F>> {
    if (this.#sender.runTask === undefined) {
      throw new ActorError("ERR_WRONG_THREAD", `id=${this.id}: a pool is out of reach here`, { id: this.id });
    }
    const taken = takeRunOptions(this.id, options);
    checkTransferList(taken.transferList ?? []);
    return this.#sender.runTask(this.uid, this.id, task, taken) as Promise<ResultOf<F>>;
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
