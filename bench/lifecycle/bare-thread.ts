import { parentPort } from "node:worker_threads";

const nowMs = (): number => performance.timeOrigin + performance.now();

/** Does by hand what mortal.actor.ts does for its caller. */
const handlers: Record<string, () => unknown> = {
  crash() {
    throw Object.assign(new Error("bench"), { atMs: nowMs() });
  },
  handledAtMs: nowMs,
  ping: () => 1,
};

parentPort?.on("message", (method: string) => parentPort?.postMessage(handlers[method]()));
parentPort?.postMessage("ready");
