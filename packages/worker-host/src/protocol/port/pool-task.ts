import type { Encoded, TaskValue } from "../values/encoded.js";

/** The file that a pool's threads run. */
export const POOL_MAIN = new URL("../../pool/pool-main.cjs", import.meta.url);

/** What a pool's thread is started with. */
export interface PoolThreadData {
  /** URLs to try, in this order. */
  readonly moduleUrls: readonly string[];
  readonly offHeapCapMb: number;
}

export const CALLED = 1;

/** A task as its thread gets it. */
export interface TaskMessage {
  /** The function to run; undefined only asks whether the module can be loaded. */
  readonly name: string | undefined;
  readonly task: TaskValue | undefined;
  /**
   * Two words of `running`: the thread's id once it has the task, so that main knows whose end is this task's; and
   * CALLED once the function is called, from when on its time counts.
   */
  readonly place: number;
  readonly running: Int32Array;
  /** See attention.ts. */
  readonly attention: Int32Array;
}

/** What a task that fails throws to piscina. */
export interface TaskFailure {
  /** The user's function has thrown, or its module could not be loaded. */
  readonly of: "task" | "module";
  readonly error: Encoded;
}

export function isTaskFailure(error: unknown): error is TaskFailure {
  const of = (error as Partial<TaskFailure> | null | undefined)?.of;
  return of === "task" || of === "module";
}
