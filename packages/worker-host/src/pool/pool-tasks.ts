import { getEnvironmentData, threadId } from "node:worker_threads";
import { prepareThread } from "../module/prelude.js";
import { claimAttention, leaveTable, stay } from "../protocol/memory/attention.js";
import { type PostedTask, packResult, unpackTask } from "../protocol/port/packed-task.js";
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
} from "../protocol/port/pool-task.js";
import { encodeTask, takeTransferred } from "../protocol/values/task-value.js";
import { announceExits } from "./announce-exits.js";
import { movedResult } from "./moved-result.js";
import { TaskRunner } from "./task-runner.js";

/*
 * The program of a pool's threads: piscina calls `runTask` for each task, through pool-main, and `runTask` calls the
 * user's function. Its figures lie where main finds them when the result has come.
 */

// Removed from `process.argv`, which belongs to the user, as `workerData` does.
const { id: poolId, moduleUrls, offHeapCapMb, tables } = JSON.parse(process.argv.pop() as string) as PoolThreadData;
const { places, attention } = getEnvironmentData(tables) as unknown as PoolTables;
const ownAttention = claimAttention(attention, threadId);
const exit = announceExits(
  (code) => {
    if (ownAttention !== undefined) leaveTable(attention, ownAttention, code);
  },
  () => {
    if (ownAttention !== undefined) stay(ownAttention);
  },
);
prepareThread(offHeapCapMb);
const runner = new TaskRunner<unknown>(poolId, moduleUrls, {
  called: (place) => void Atomics.store(places, place * PLACE_WORDS + PLACE_STAGE, CALLED),
  measured(place, tookUs, grewKb, memoryKb) {
    const words = place * PLACE_WORDS;
    places[words + PLACE_TOOK_US] = tookUs;
    places[words + PLACE_GREW_KB] = grewKb;
    places[words + PLACE_MEMORY_KB] = memoryKb;
  },
  resultOf(result, codec) {
    const moved = movedResult(result);
    if (moved === undefined) return packResult(encodeTask(codec, poolId, result, [], "result"));
    // Transferred here already, because a result that piscina cannot post ends the thread.
    const value = takeTransferred(poolId, encodeTask(codec, poolId, moved.value, moved.list, "result"));
    return moved.as(value, value.transferred);
  },
});

export function runTask(posted: PostedTask): unknown {
  const message = unpackTask(posted);
  if (message.leaves === true) exit(0);
  if (message.place >= 0) Atomics.store(places, message.place * PLACE_WORDS + PLACE_THREAD, threadId);
  return runner.run(message);
}
