import type { Encoded, TaskValue } from "../values/encoded.js";
import type { FromStreamTask, TaskFailure, ToStreamTask } from "./pool-task.js";

/** The file that a pool's processes are started with. */
export const POOL_PROCESS = new URL("../../pool/process-main.js", import.meta.url);

/** Main's first message to a process. */
export interface PoolProcessData {
  /** The pool's path. */
  readonly id: string;
  /** URLs to try, in order. */
  readonly moduleUrls: readonly string[];
  readonly workerData: unknown;
  /** The most resident memory over what the process has before it loads the module, in MiB. */
  readonly capMb: number;
}

/** What main sends to a process. A task's number is free again once its end has been sent. */
export type ToPoolProcess =
  | ({ readonly type: "boot" } & PoolProcessData)
  | { readonly type: "task"; readonly number: number; readonly name: string; readonly task: TaskValue }
  | { readonly type: "to_stream"; readonly number: number; readonly message: ToStreamTask }
  | { readonly type: "leave" };

/** What the function took: see the words of a place. */
export interface TaskFigures {
  readonly tookUs: number;
  readonly grewKb: number;
  readonly memoryKb: number;
}

/** What a process sends to main. */
export type FromPoolProcess =
  | { readonly type: "loaded" }
  | { readonly type: "not_loaded"; readonly failure: TaskFailure }
  | { readonly type: "ended"; readonly number: number; readonly figures: TaskFigures; readonly value: TaskValue }
  | { readonly type: "failed"; readonly number: number; readonly figures: TaskFigures; readonly failure: TaskFailure }
  | { readonly type: "from_stream"; readonly number: number; readonly message: FromStreamTask }
  /** It exits. `error`: because nothing caught this. */
  | { readonly type: "leaving"; readonly code: number; readonly error?: Encoded }
  /** Its exit was refused, so it goes on. */
  | { readonly type: "stays" };
