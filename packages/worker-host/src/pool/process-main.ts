import { watchedProcess } from "../process/watched-process.js";
import type { PoolProcessData } from "../protocol/port/pool-process.js";

/* The first file of a pool's process. */

const { booting, watch, send } = watchedProcess<PoolProcessData>(new URL("../process/watcher.js", import.meta.url));
const { runTasks } = await import("./process-tasks.js");
const { capMb, ...data } = await booting;
await watch(capMb);
runTasks(data, send);
