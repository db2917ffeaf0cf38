import type { MessagePort } from "node:worker_threads";
import { createActorLog } from "../log/actor-log.js";
import { captureConsole } from "../log/captured-console.js";
import { LogPort } from "../log/log-port.js";
import { HostedActor } from "../process/hosted-actor.js";
import { allowLooks } from "../process/looks.js";
import { OwnFigures } from "../process/own-figures.js";
import { ProcessSender } from "../process/process-sender.js";
import { ThreadChannel } from "../process/thread-channel.js";
import { LOG_TAKEN, SLOT_HEADER_WORDS } from "../protocol/memory/slot-descriptor.js";
import { logUnits } from "../protocol/port/log-levels.js";
import type { ToMain } from "../protocol/port/messages.js";
import type { ActorProcessData, ToActorProcess } from "../protocol/port/process.js";
import { loadActor } from "./load-actor.js";
import { ThreadExit } from "./thread-exit.js";

/** Runs an actor's module on this process's main thread, for the actor's thread. Resolves when the module is loaded. */
export async function runActorProcess(
  { moduleUrls, console, logLevel }: ActorProcessData,
  onMessage: (listener: (message: unknown) => void) => void,
): Promise<void> {
  const channel = new ThreadChannel();
  const figures = new OwnFigures((measured) => channel.post({ type: "figures", figures: measured }));
  const sender = new ProcessSender(channel);
  allowLooks(channel, sender.codec);
  const level = new Int32Array(new SharedArrayBuffer(4)).fill(logLevel);
  const words = new Int32Array(SLOT_HEADER_WORDS);
  const port = {
    postMessage(message: ToMain): void {
      if (message.type === "exiting") {
        // Its last, while the thread still counts.
        figures.tell();
        channel.post(message);
      }
      if (message.type !== "log") return;
      channel.post(message);
      // The credit is the actor's, which its thread keeps; here the pipe is the bound.
      words[LOG_TAKEN] = (words[LOG_TAKEN] + logUnits(message.line.bytes.length)) | 0;
    },
  } as MessagePort;
  const exit = new ThreadExit(port);
  exit.use(sender.codec);
  const logPort = new LogPort(port, level.buffer as SharedArrayBuffer, sender.codec);
  logPort.use(sender.codec, words);
  const log = createActorLog(logPort);
  if (console === "log") captureConsole(log);

  let actor: HostedActor | undefined;
  onMessage((order) => {
    const message = order as ToActorProcess;
    switch (message.type) {
      case "incarnation":
        return actor?.become(message);
      case "run":
        level[0] = message.logLevel;
        return actor?.run(message);
      case "abort":
        return actor?.abort(message);
      case "pull":
        return actor?.pull(message);
      case "settled":
      case "item":
        return channel.take(message);
      case "leave":
        return exit.leave();
    }
  });
  try {
    const definition = await loadActor(moduleUrls, (specifier) => import(specifier));
    const hosted = new HostedActor(definition, channel, sender, log);
    actor = hosted;
    figures.begin(() => hosted.isBusy);
    const { handlers, info, terminate, version, throws } = definition;
    channel.post({
      type: "loaded",
      methods: Object.keys(handlers),
      parts: [
        ...(info === undefined ? [] : (["info"] as const)),
        ...(terminate === undefined ? [] : (["terminate"] as const)),
      ],
      version,
      throws,
    });
  } catch (error) {
    channel.post({ type: "not_loaded", error: exit.encode(error) });
  }
}
