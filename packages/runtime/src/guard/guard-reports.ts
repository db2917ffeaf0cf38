import { describeExit } from "@mini-otp/worker-host/protocol";
import type { Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";
import type { GuardListener } from "./guard.js";
import type { Zombies } from "./zombies.js";

const REMIND_MS = 5000;

/** Tells events and log what the guard does. */
export function guardListener(
  logger: Logger,
  events: Events,
  zombies: Zombies,
  methodName: (words: Int32Array) => string,
): GuardListener {
  let remindAtMs = 0;
  return {
    methodName,
    killing({ id }, reason) {
      events.emit({ event: "guard_killed", id, at: performance.now(), reason });
      logger.warn({ actor: id, reason }, `guard ends ${id}: ${describeExit(reason)}`);
    },
    overBudget(rssMb, totalMb, unclaimedMb) {
      const nowMs = performance.now();
      if (nowMs >= remindAtMs) {
        remindAtMs = nowMs + REMIND_MS;
        logger.error({ rssMb, totalMb }, "the process is over guard.totalMb, and no actor is over its share");
      }
      zombies.overBudget(totalMb, unclaimedMb);
    },
  };
}
