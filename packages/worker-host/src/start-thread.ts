import type { MessagePort } from "node:worker_threads";
import { keepPortToMain } from "./comlink-endpoints.js";
import { runActorThread } from "./host.js";
import type { ImportModule } from "./load-module.js";
import { prepareThread } from "./prelude.js";
import { leave } from "./protocol/attention.js";
import type { BootData } from "./protocol/boot.js";

/** Makes this thread an actor's. Resolves when the actor has started. */
export function startThread(boot: BootData, portToMain: MessagePort | null, importModule: ImportModule): Promise<void> {
  const attention = new Int32Array(boot.attention);
  // Before anyone else listens: what the actor does there comes after.
  process.on("exit", () => leave(attention));
  prepareThread(boot.offHeapCapMb, boot.port);
  keepPortToMain(portToMain);
  return runActorThread(boot, importModule);
}
