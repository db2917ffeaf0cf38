import type { SystemOptions } from "@mini-otp/runtime";
import type Gate from "../fixtures/gate.actor.js";
import type Log from "../fixtures/log.actor.js";
import type Worker from "../fixtures/worker.actor.js";
import { actorsIn, type Mode } from "../support/modes.js";
import { fixture } from "../support/system.js";

interface Limits {
  maxDeliveries?: number;
  mailbox?: {
    capacity?: number;
    capacityBytes?: number;
    overflow?: "block" | "reject" | "drop_newest" | "drop_oldest";
    blockTimeoutMs?: number;
    onRestart?: "keep" | "drop";
  };
}

/** A worker, the log it writes to, and a gate it is held at. */
export async function heldWorker(mode: Mode, limits: Limits = {}, options: SystemOptions = {}) {
  const actors = await actorsIn(mode, options);
  const { system } = actors;
  const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const spec = { id: "worker", actor: fixture("worker"), args: { log }, ...limits };
  const isOwn = mode !== "light, in one thread";
  const worker = await actors.start<typeof Worker>(isOwn ? { restart: "permanent", ...spec } : spec);
  await worker.cast(isOwn ? "hold" : "holdAwaiting", gate);
  await gate.call("someone");
  return { ...actors, log, gate, worker };
}
