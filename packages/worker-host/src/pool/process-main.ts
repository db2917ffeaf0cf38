import { watchedProcess } from "../process/watched-process.js";
import type { PoolProcessData } from "../protocol/port/pool-process.js";

/* The first file of a pool's process. */

const watcher = new URL("../process/watcher.js", import.meta.url);
const { booting, watch, onMessage } = watchedProcess<PoolProcessData>(watcher);
const { runTasks } = await import("./process-tasks.js");
const { capMb, ...data } = await booting;
await watch(capMb);
runTasks(data, onMessage);
