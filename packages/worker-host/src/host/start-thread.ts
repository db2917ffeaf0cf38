import type { MessagePort } from "node:worker_threads";
import { keepPortToMain } from "../comlink/comlink-endpoints.js";
import type { ImportModule } from "../module/load-module.js";
import { prepareThread } from "../module/prelude.js";
import { leave } from "../protocol/memory/attention.js";
import type { BootData } from "../protocol/port/boot.js";
import { runActorThread } from "./host.js";

/** Prepares this thread and runs an actor in it. Resolves when the actor has started, or failed to. */
export function startThread(boot: BootData, portToMain: MessagePort | null, importModule: ImportModule): Promise<void> {
  const attention = new Int32Array(boot.attention);
  // The first listener: exit handlers of the actor run after it.
  process.on("exit", () => leave(attention));
  prepareThread(boot.offHeapCapMb, boot.port);
  keepPortToMain(portToMain);
  return runActorThread(boot, importModule);
}
