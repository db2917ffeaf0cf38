// Native code that crashes or leaks ends its process. With isolation "process" that is the actor's own, and an exit reason.
import { type ActorRef, isActorError, startSystem } from "@mini-otp/runtime";
import type Camera from "./camera.actor.js";

await using system = await startSystem({ logger: false });
const camera = await system.startChild<typeof Camera>({
  id: "camera",
  actor: new URL("./camera.actor.js", import.meta.url),
  isolation: "process",
  offHeapCapMb: 64,
  handlerTimeoutMs: Infinity,
});

console.log("frame", await camera.call("frame"), "in a process of its own");

async function reasonOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.catch((error: unknown) => error);
  return isActorError(error, "ERR_CALL_EXIT") ? error.reason : error;
}

// What was accepted meanwhile is handled in the next life.
const crash = reasonOf(camera.call("segfault"));
const next = patient(camera).call("frame");
console.log("the crash:", await crash);
console.log("frame", await next, "in the next one");

const leak = (await reasonOf(patient(camera).call("leak"))) as { kind: string };
console.log("the leak:", leak.kind);
console.log("frame", await patient(camera).call("frame"), "in the third");

/** A process takes some hundred ms to start. */
function patient(ref: ActorRef<typeof Camera>): ActorRef<typeof Camera> {
  return ref.with({ timeoutMs: 30_000 });
}
