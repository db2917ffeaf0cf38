import { watchedProcess } from "../process/watched-process.js";
import type { ActorProcessData } from "../protocol/port/process.js";

/* The first file of an actor's process. */

const { url } = import.meta;
// In a bundle both are in one folder.
const watcher = new URL(url.endsWith(".mjs") ? "./watcher.mjs" : "../process/watcher.js", url);
const { booting, watch, onMessage } = watchedProcess<ActorProcessData>(watcher);
const { runActorProcess } = await import("./run-actor-process.js");
const boot = await booting;
await watch(boot.capMb);
await runActorProcess(boot, onMessage);
