import type { Encoded, TaskValue } from "../values/encoded.js";

/** The file that a pool's threads are started with. */
export const POOL_MAIN = new URL("../../pool/pool-main.cjs", import.meta.url);

/** The worker data of a pool's thread. */
export interface PoolThreadData {
  /** The pool's path. */
  readonly id: string;
  /** URLs to try, in order. */
  readonly moduleUrls: readonly string[];
  readonly offHeapCapMb: number;
}

export const CALLED = 1;

/** A task as it is sent to its thread. */
export interface TaskMessage {
  /** The function to run; undefined only loads the module. */
  readonly name: string | undefined;
  readonly task: TaskValue | undefined;
  /**
   * Index of two words of `running`: the thread's id once it has the task, so that main knows which tasks end with
   * which thread; and CALLED once the function is called, when its time begins to count.
   */
  readonly place: number;
  readonly running: Int32Array;
  /** See attention.ts. */
  readonly attention: Int32Array;
}

/** The value that a failed task throws to piscina. */
export interface TaskFailure {
  /** `task`: the user's function threw. `module`: its module could not be loaded. */
  readonly of: "task" | "module";
  readonly error: Encoded;
}

export function isTaskFailure(error: unknown): error is TaskFailure {
  const of = (error as Partial<TaskFailure> | null | undefined)?.of;
  return of === "task" || of === "module";
}

/** What the reader of a task's stream posts: how many items more, how many bytes have been read, or that it has ended. */
export interface ToStreamTask {
  readonly items: number;
  readonly bytes: number;
  readonly cancelled?: true;
}

/** A record of a task's stream: KIND_ITEMS, KIND_REPLY or KIND_FAILURE, and which of its records it is. */
export interface FromStreamTask {
  readonly kind: number;
  readonly number: number;
  readonly payload: Encoded;
}
