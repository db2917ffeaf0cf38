import { threadId } from "node:worker_threads";
import { loadFirst } from "./load-module.js";
import { prepareThread } from "./prelude.js";
import type { Connection, Sender } from "./protocol/actor-ref.js";
import { claimAttention, leave } from "./protocol/attention.js";
import { encodeForeign } from "./protocol/boot.js";
import { Codec } from "./protocol/codec.js";
import { ActorError } from "./protocol/errors.js";
import {
  CALLED,
  NOT_CLONEABLE,
  type PoolThreadData,
  type TaskFailure,
  type TaskMessage,
} from "./protocol/pool-task.js";

/*
 * What a pool's threads run: piscina calls `runTask` for each task, by way of pool-main, and it calls the user's function.
 */

// Out of the user's sight again: `process.argv` is theirs, and so is `workerData`.
const { moduleUrls, offHeapCapMb } = JSON.parse(process.argv.pop() as string) as PoolThreadData;
prepareThread(offHeapCapMb, () => {});
const codec = new Codec({ connect: (): Connection => ({ id: "" }) } as unknown as Sender);
const loading = loadFirst(moduleUrls, (specifier) => import(specifier)).then(
  ({ exports }) => exports as Record<string, unknown>,
);
// Told to whoever asks for it.
loading.catch(() => {});

let attention: Int32Array | undefined;
process.on("exit", () => attention !== undefined && leave(attention));
let lastReturned: Pick<TaskMessage, "place" | "running"> | undefined;

// A result that cannot be cloned ends the thread, with an error that loses its class on the way to main (Node 20).
process.on("uncaughtExceptionMonitor", (error) => {
  if (error?.name !== "DataCloneError" || lastReturned === undefined) return;
  Atomics.store(lastReturned.running, 2 * lastReturned.place + 1, NOT_CLONEABLE);
});

export async function runTask(message: TaskMessage): Promise<unknown> {
  const { name, task, place, running } = message;
  attention ??= claimAttention(message.attention, threadId);
  Atomics.store(running, 2 * place, threadId);
  let module: Record<string, unknown>;
  try {
    module = await loading;
    if (name === undefined) return undefined;
  } catch (error) {
    throw failure("module", error);
  }
  const run = functionNamed(name, module);
  if (run === undefined) {
    const message = `name=${name}: ${moduleUrls[0]} has no such function; it has: ${Object.keys(module).join(", ")}`;
    throw failure("task", new ActorError("ERR_UNKNOWN_METHOD", message, { method: name }));
  }
  Atomics.store(running, 2 * place + 1, CALLED);
  try {
    const result = await run(task);
    lastReturned = { place, running };
    return result;
  } catch (error) {
    throw failure("task", error);
  }
}

/** A CommonJS module's exports are its default export, or in it. */
function functionNamed(name: string, module: Record<string, unknown>): ((task: unknown) => unknown) | undefined {
  const { default: main } = module;
  for (const exports of [module, main]) {
    // What every object or function has is no export.
    if (exports === undefined || exports === null || !Object.hasOwn(exports, name)) continue;
    const found = (exports as Record<string, unknown>)[name];
    if (typeof found === "function") return found as (task: unknown) => unknown;
  }
  return undefined;
}

/** What is thrown is structured cloned, in which errors lose their properties, and which ends the thread if it fails. */
function failure(of: TaskFailure["of"], error: unknown): TaskFailure {
  return { of, error: encodeForeign(codec, error) };
}
