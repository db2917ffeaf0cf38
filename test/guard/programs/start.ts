// Starts an actor with a heap cap of as many MiB as the argument says, and prints how that went.
import { isActorError, startSystem } from "@mini-otp/runtime";

const lines: string[] = [];
const ignore = (): void => {};
const warn = (_fields: object, text: string): void => void lines.push(text);
const logger = { trace: ignore, debug: ignore, info: ignore, warn, error: ignore, fatal: ignore };
const system = await startSystem({ logger });
const actor = new URL("../fixtures/memory.actor.js", import.meta.url);
try {
  const ref = await system.startChild({ id: "memory", actor, heapCapMb: Number(process.argv[2]) });
  console.log("started", await ref.call("ping"));
} catch (error) {
  console.log(isActorError(error) ? `${error.code} ${error.message}` : String(error));
}
for (const line of lines) console.log(line);
await system.stop();
