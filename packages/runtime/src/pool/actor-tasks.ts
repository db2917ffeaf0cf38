import type { ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import { type TaskOptions, type Transferable, transferLost } from "@mini-otp/worker-host/protocol/refs";
import { type Codec, encodeForeign, type TaskValue } from "@mini-otp/worker-host/protocol/values";
import { handOver, release } from "../messaging/hand-over.js";

/** Runs a task in the pool with this uid. */
export type RunTask = (uid: number, id: string, task: TaskValue, options: TaskOptions) => Promise<TaskValue>;

interface Asker {
  post(message: ToActor, transfer?: readonly Transferable[]): void;
}

/**
 * The pool tasks that actors wait for. The result goes to the thread that asked, and to no later thread of the actor.
 */
export class ActorTasks<A extends Asker> {
  readonly #codec: Codec;
  readonly #run: RunTask;
  /** For each actor, its tasks by the number that it gave them. */
  readonly #open = new Map<A, Map<number, AbortController>>();

  constructor(codec: Codec, run: RunTask) {
    this.#codec = codec;
    this.#run = run;
  }

  run(actor: A, { request, uid, id, task, name, waits }: Extract<ToMain, { type: "run_task" }>): void {
    const open = this.#open.get(actor) ?? new Map<number, AbortController>();
    this.#open.set(actor, open);
    const wanted = new AbortController();
    open.set(request, wanted);
    const isOpen = (): boolean => open.get(request) === wanted && open.delete(request);
    const failed = (reason: unknown): void =>
      actor.post({ type: "task_settled", request, error: encodeForeign(this.#codec, reason) });
    const returned = ({ content, transferred }: TaskValue): void => {
      const post = (list: readonly Transferable[]): void =>
        actor.post({ type: "task_settled", request, value: { content, transferred: list } }, list);
      handOver(transferred, post, () => failed(transferLost({ id }, "the result")));
    };
    const options = { signal: wanted.signal, waits, ...(name === undefined ? {} : { name }) };
    this.#run(uid, id, task, options).then(
      (value) => (isOpen() ? returned(value) : release(value.transferred)),
      (error: unknown) => {
        // No thread has got this task.
        release(task.transferred);
        if (isOpen()) failed(error);
      },
    );
  }

  abort(actor: A, request: number): void {
    const open = this.#open.get(actor);
    open?.get(request)?.abort();
    open?.delete(request);
  }

  /** Its thread has exited, so nothing waits for the results any more. */
  abandon(actor: A): void {
    const open = this.#open.get(actor);
    this.#open.delete(actor);
    const tasks = [...(open?.values() ?? [])];
    open?.clear();
    for (const task of tasks) task.abort();
  }
}
