import type { Encoded, TaskValue } from "../values/encoded.js";

/** The file that a pool's threads are started with. */
export const POOL_MAIN = new URL("../../pool/pool-main.cjs", import.meta.url);

/** What a pool's thread is told at its start, beside what the user gives it. */
export interface PoolThreadData {
  /** The pool's path. */
  readonly id: string;
  /** URLs to try, in order. */
  readonly moduleUrls: readonly string[];
  readonly offHeapCapMb: number;
  /** The key of its PoolTables among the environment data: shared memory comes by no other way into a thread of piscina's. */
  readonly tables: string;
}

/** Memory that main shares with all threads of a pool. */
export interface PoolTables {
  /** For each task that may run at a time, PLACE_WORDS words. */
  readonly places: Int32Array;
  /** See attention.ts. */
  readonly attention: Int32Array;
}

/*
 * The words of a place. Main clears them before a task; the thread that has the task writes.
 *
 *   PLACE_THREAD     the thread's id once it has the task, so that main knows which tasks end with which thread
 *   PLACE_STAGE      CALLED once the function is called, when its time begins to count
 *   PLACE_TOOK_US    the time that the function took
 *   PLACE_GREW_KB    by how much the thread's memory grew meanwhile, at least 1; 0 when it was not measured
 *   PLACE_MEMORY_KB  the thread's memory then
 */
export const PLACE_THREAD = 0;
export const PLACE_STAGE = 1;
export const PLACE_TOOK_US = 2;
export const PLACE_GREW_KB = 3;
export const PLACE_MEMORY_KB = 4;
export const PLACE_WORDS = 5;
export const CALLED = 1;

/** A task as it is sent to its thread. */
export interface TaskMessage {
  /** The function to run; undefined only loads the module. */
  readonly name: string | undefined;
  readonly task: TaskValue | undefined;
  /** Of its words in `places`; -1 for none. */
  readonly place: number;
  /** The thread exits instead. */
  readonly leaves?: true;
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
