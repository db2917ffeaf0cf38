import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import type { PoolProcessData, ToPoolProcess } from "../protocol/port/pool-process.js";
import { endProcess } from "./end-process.js";
import type { CapOrder, WatcherData } from "./watcher.js";

/*
 * The first file of a pool's process. The user's functions run on this process's main thread, because some native addons
 * load nowhere else. A thread beside it, the watcher, ends the process when main has ended or when memory is over its
 * cap, whatever the function does.
 */

// Main's own channel, not the user's: main knows no other messages, and the end of the channel ends the process.
const send = (process.send as NonNullable<typeof process.send>).bind(process);
Reflect.set(process, "send", undefined);
Reflect.set(process, "disconnect", undefined);
process.once("disconnect", endProcess);
// A terminal and some service managers send these to every process of a program. Main decides when this one ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const booting = once(process, "message") as Promise<[ToPoolProcess]>;
const { port1: port, port2 } = new MessageChannel();
// It starts while main's first message and the modules below are on their way. Its errors are this process's.
new Worker(new URL("./watcher.js", import.meta.url), {
  env: {},
  workerData: { port: port2 } satisfies WatcherData,
  transferList: [port2],
  resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
});
const watching = once(port, "message");
const { runTasks } = await import("./process-tasks.js");
const [[boot]] = await Promise.all([booting, watching]);
const { capMb, ...data } = boot as PoolProcessData;
port.postMessage({ capMb } satisfies CapOrder);
// Its answer says that it has measured what the process has without the user's code.
await once(port, "message");
port.unref();
runTasks(data, (message) => void send(message));
