import v8 from "node:v8";
import { getEnvironmentData, type MessagePort, threadId } from "node:worker_threads";
import { isStream, sourceOf } from "../loop/outgoing-stream.js";
import { loadFirst } from "../module/load-module.js";
import { prepareThread } from "../module/prelude.js";
import { shorten } from "../protocol/errors/describe.js";
import { ActorError } from "../protocol/errors/errors.js";
import { claimAttention, leaveTable, stay } from "../protocol/memory/attention.js";
import {
  CALLED,
  PLACE_GREW_KB,
  PLACE_MEMORY_KB,
  PLACE_STAGE,
  PLACE_THREAD,
  PLACE_TOOK_US,
  PLACE_WORDS,
  type PoolTables,
  type PoolThreadData,
  type TaskFailure,
  type TaskMessage,
} from "../protocol/port/pool-task.js";
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

const { getHeapStatistics } = v8;
/** Memory is measured this often at most, because that takes as long as a tiny task. */
const MEASURE_MS = 1;
const MOST_US = 2 ** 31 - 1;

// Removed from `process.argv`, which belongs to the user, as `workerData` does.
const { id: poolId, moduleUrls, offHeapCapMb, tables } = JSON.parse(process.argv.pop() as string) as PoolThreadData;
const { places, attention } = getEnvironmentData(tables) as unknown as PoolTables;
const ownAttention = claimAttention(attention, threadId);
const exit = announceExits();
prepareThread(offHeapCapMb);
const codec = new Codec(outOfReach());
let measuredBytes = 0;
let measuredAt = 0;
let module: Record<string, unknown> | undefined;
const loading = loadFirst(moduleUrls, (specifier) => import(specifier)).then(({ exports }) => {
  module = exports as Record<string, unknown>;
  measuredBytes = memoryBytes();
  return module;
});
// No unhandled rejection: each task awaits the module and gets the error.
loading.catch(() => {});

/** Returns no promise for a function that returns none, because tiny tasks notice each. */
export function runTask(message: TaskMessage): unknown {
  if (message.leaves === true) exit(0);
  if (message.place >= 0) Atomics.store(places, message.place * PLACE_WORDS + PLACE_THREAD, threadId);
  if (module !== undefined) return call(message, module);
  return loading.then(
    (exports) => call(message, exports),
    (error: unknown) => {
      throw failure("module", error);
    },
  );
}

function call({ name, task, place }: TaskMessage, exports: Record<string, unknown>): unknown {
  if (name === undefined) return undefined;
  const run = functionNamed(name, exports);
  if (run === undefined) {
    const why = `${moduleUrls[0]} has no such function; it has: ${shorten(Object.keys(exports).join(", "), 500)}`;
    const facts = { id: poolId, method: name };
    throw failure("task", new ActorError("ERR_UNKNOWN_METHOD", `id=${poolId} name=${name}: ${why}`, facts));
  }
  const words = place * PLACE_WORDS;
  Atomics.store(places, words + PLACE_STAGE, CALLED);
  const startedAt = performance.now();
  const port = task?.isStream ? (task.transferred.at(-1) as MessagePort) : undefined;
  const threw = (error: unknown): never => {
    measure(words, startedAt);
    throw failure("task", error);
  };
  const returned = (result: unknown): unknown => {
    if (port !== undefined || isStream(result)) return streamed(name, port, result).then(ended, threw);
    return ended(result);
  };
  const ended = (result: unknown): unknown => {
    let value: unknown;
    try {
      value = resultOf(result);
    } catch (error) {
      return threw(error);
    }
    measure(words, startedAt);
    return value;
  };
  let result: unknown;
  let isPromise: boolean;
  try {
    result = run(task === undefined ? undefined : decodeTask(codec, task));
    isPromise = typeof (result as { then?: unknown } | null | undefined)?.then === "function";
  } catch (error) {
    return threw(error);
  }
  return isPromise ? Promise.resolve(result).then(returned, threw) : returned(result);
}

/** Sends the items of the stream that a task has returned to `port`. Rejects when there is only one of the two. */
async function streamed(name: string, port: MessagePort | undefined, result: unknown): Promise<void> {
  const source = isStream(result) ? sourceOf(result) : undefined;
  const facts = { id: poolId, method: name };
  if (port === undefined) {
    void Promise.resolve(source?.return?.()).catch(() => {});
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
}

/** Leaves the figures of a task where main finds them when the result has come. */
function measure(words: number, startedAt: number): void {
  const endedAt = performance.now();
  places[words + PLACE_TOOK_US] = Math.max(1, Math.min(MOST_US, (endedAt - startedAt) * 1000));
  if (endedAt - measuredAt < MEASURE_MS) return;
  const bytes = memoryBytes();
  places[words + PLACE_GREW_KB] = Math.max(1, (bytes - measuredBytes) / 1024);
  places[words + PLACE_MEMORY_KB] = bytes / 1024;
  measuredBytes = bytes;
  measuredAt = endedAt;
}

function memoryBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/**
 * Main hears of an exit before the user's exit handlers run, because one that never returns keeps the thread. It hears
 * of `process.exit` at the call: a handler may be put in front of the one here. Returns what exits.
 */
function announceExits(): (code: number) => never {
  const leaving = (code: unknown): void => {
    if (ownAttention !== undefined) leaveTable(attention, ownAttention, Number(code ?? process.exitCode ?? 0));
  };
  process.on("exit", leaving);
  const exit = process.exit.bind(process);
  const announced = (code?: number): never => {
    leaving(code);
    try {
      return exit(code);
    } catch (error) {
      // Node refuses the code, or an exit handler has thrown: the thread lives on.
      if (ownAttention !== undefined) stay(ownAttention);
      throw error;
    }
  };
  process.exit = announced as typeof process.exit;
  return announced;
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
