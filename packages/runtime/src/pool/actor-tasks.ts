import {
  type Codec,
  encodeForeign,
  type RunOptions,
  type ToActor,
  type ToMain,
  taskNotCloneable,
} from "@mini-otp/worker-host/protocol";

/** Runs a task in the pool with this uid. */
export type RunTask = (uid: number, id: string, task: unknown, options: RunOptions) => Promise<unknown>;

interface Asker {
  post(message: ToActor): void;
}

/** Tasks of pools that actors wait for. An answer goes to the thread that asked, and to no later one. */
export class ActorTasks<A extends Asker> {
  readonly #codec: Codec;
  readonly #run: RunTask;
  /** By the actor's own number for each. */
  readonly #open = new Map<A, Map<number, AbortController>>();

  constructor(codec: Codec, run: RunTask) {
    this.#codec = codec;
    this.#run = run;
  }

  run(actor: A, { request, uid, id, task, transferList, name }: Extract<ToMain, { type: "run_task" }>): void {
    const open = this.#open.get(actor) ?? new Map<number, AbortController>();
    this.#open.set(actor, open);
    const wanted = new AbortController();
    open.set(request, wanted);
    const settle = (value: unknown, error?: unknown): void => {
      if (open.get(request) !== wanted) return;
      open.delete(request);
      const failed = (reason: unknown) => ({ value: undefined, error: encodeForeign(this.#codec, reason) });
      const outcome = error === undefined ? { value } : failed(error);
      try {
        actor.post({ type: "task_settled", request, ...outcome });
      } catch (uncloneable) {
        actor.post({ type: "task_settled", request, ...failed(taskNotCloneable(id, uncloneable)) });
      }
    };
    const options = { signal: wanted.signal, transferList, ...(name === undefined ? {} : { name }) };
    this.#run(uid, id, task, options).then(
      (value) => settle(value),
      (error: unknown) => settle(undefined, error ?? new Error("rejected with nothing")),
    );
  }

  abort(actor: A, request: number): void {
    const open = this.#open.get(actor);
    open?.get(request)?.abort();
    open?.delete(request);
  }

  /** Its thread has exited: nobody is left who wants to know. */
  abandon(actor: A): void {
    const open = this.#open.get(actor);
    this.#open.delete(actor);
    const tasks = [...(open?.values() ?? [])];
    open?.clear();
    for (const task of tasks) task.abort();
  }
}
