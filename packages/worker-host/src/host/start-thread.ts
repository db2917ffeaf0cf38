import type { MessagePort } from "node:worker_threads";
import { keepPortToMain } from "../comlink/comlink-endpoints.js";
import type { ImportModule } from "../module/load-module.js";
import { prepareThread } from "../module/prelude.js";
import { leave } from "../protocol/memory/attention.js";
import type { BootData } from "../protocol/port/boot.js";
import { runActorThread } from "./host.js";

/** Makes this thread an actor's. Resolves when the actor has started. */
export function startThread(boot: BootData, portToMain: MessagePort | null, importModule: ImportModule): Promise<void> {
  const attention = new Int32Array(boot.attention);
  // Before anyone else listens: what the actor does there comes after.
  process.on("exit", () => leave(attention));
  prepareThread(boot.offHeapCapMb, boot.port);
  keepPortToMain(portToMain);
  return runActorThread(boot, importModule);
}
