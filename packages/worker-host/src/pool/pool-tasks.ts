import { type MessagePort, threadId } from "node:worker_threads";
import { isStream, sourceOf } from "../loop/outgoing-stream.js";
import { loadFirst } from "../module/load-module.js";
import { prepareThread } from "../module/prelude.js";
import { shorten } from "../protocol/errors/describe.js";
import { ActorError } from "../protocol/errors/errors.js";
import { claimAttention, leaveTable, stay } from "../protocol/memory/attention.js";
import { CALLED, type PoolThreadData, type TaskFailure, type TaskMessage } from "../protocol/port/pool-task.js";
import type { Connection, Sender } from "../protocol/refs/actor-ref.js";
import type { Transferable } from "../protocol/refs/actor-types.js";
import { Codec } from "../protocol/values/codec.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import { decodeTask, encodeTask, takeTransferred } from "../protocol/values/task-value.js";
import { streamTo } from "./stream-task.js";

/*
 * The program of a pool's threads: piscina calls `runTask` for each task, through pool-main, and `runTask` calls the
 * user's function.
 */

// Removed from `process.argv`, which belongs to the user, as `workerData` does.
const { id: poolId, moduleUrls, offHeapCapMb } = JSON.parse(process.argv.pop() as string) as PoolThreadData;
let attention: { readonly table: Int32Array; readonly own: Int32Array | undefined } | undefined;
announceExits();
prepareThread(offHeapCapMb);
const codec = new Codec(outOfReach());
const loading = loadFirst(moduleUrls, (specifier) => import(specifier)).then(
  ({ exports }) => exports as Record<string, unknown>,
);
// No unhandled rejection: each task awaits the module and gets the error.
loading.catch(() => {});

export async function runTask(message: TaskMessage): Promise<unknown> {
  const { name, task, place, running } = message;
  attention ??= { table: message.attention, own: claimAttention(message.attention, threadId) };
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
    const why = `${moduleUrls[0]} has no such function; it has: ${shorten(Object.keys(module).join(", "), 500)}`;
    const facts = { id: poolId, method: name };
    throw failure("task", new ActorError("ERR_UNKNOWN_METHOD", `id=${poolId} name=${name}: ${why}`, facts));
  }
  Atomics.store(running, 2 * place + 1, CALLED);
  try {
    const argument = task === undefined ? undefined : decodeTask(codec, task);
    const result = await run(argument);
    const port = task?.isStream ? (task.transferred.at(-1) as MessagePort) : undefined;
    const source = isStream(result) ? sourceOf(result) : undefined;
    const facts = { id: poolId, method: name };
    if (port === undefined) {
      if (source === undefined) return resultOf(result);
      void Promise.resolve(source.return?.()).catch(() => {});
      const message = `id=${poolId} name=${name}: its function answers with a stream; read it with pool.stream`;
      throw new ActorError("ERR_IS_STREAM", message, facts);
    }
    if (source === undefined) {
      const message = `id=${poolId} name=${name}: its function has returned no stream; get its result with pool.run`;
      throw new ActorError("ERR_NO_STREAM", message, facts);
    }
    try {
      await streamTo(port, codec, name, source);
    } finally {
      port.close();
    }
    return resultOf(undefined);
  } catch (error) {
    throw failure("task", error);
  }
}

/**
 * Main hears of an exit before the user's exit handlers run, because one that never returns keeps the thread. It hears
 * of `process.exit` at the call: a handler may be put in front of the one here.
 */
function announceExits(): void {
  const leaving = (code: unknown): void => {
    if (attention?.own !== undefined) leaveTable(attention.table, attention.own, Number(code ?? process.exitCode ?? 0));
  };
  process.on("exit", leaving);
  const exit = process.exit.bind(process);
  process.exit = ((code?: number) => {
    leaving(code);
    try {
      return exit(code);
    } catch (error) {
      // Node refuses the code, or an exit handler has thrown: the thread lives on.
      if (attention?.own !== undefined) stay(attention.own);
      throw error;
    }
  }) as typeof process.exit;
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

const TRANSFERABLE = Symbol.for("Piscina.transferable");
const VALUE = Symbol.for("Piscina.valueOf");

/** Keeps the mark of `Piscina.move`, so that piscina transfers the result. */
function resultOf(result: unknown): unknown {
  const mark = markOf(result);
  if (mark === undefined) return encodeTask(codec, poolId, result, [], "result");
  const marked = result as Record<symbol, unknown>;
  const list = [marked[TRANSFERABLE]].flat() as Transferable[];
  // Transferred here already, because a result that piscina cannot post ends the thread.
  const value = takeTransferred(poolId, encodeTask(codec, poolId, marked[VALUE], list, "result"));
  return { [TRANSFERABLE]: value.transferred, [VALUE]: value, [mark]: true };
}

/** Finds piscina's own symbol by its name, because piscina does not export it. */
function markOf(result: unknown): symbol | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  if (!(TRANSFERABLE in result && VALUE in result)) return undefined;
  return Object.getOwnPropertySymbols(result).find(({ description }) => description === "Piscina.kMovable");
}

/** References pass through a pool's thread, which sends no messages. */
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

/**
 * Encodes a thrown value, because piscina clones it: errors lose their properties, and a failed clone ends the thread.
 */
function failure(of: TaskFailure["of"], error: unknown): TaskFailure {
  return { of, error: encodeForeign(codec, error) };
}
