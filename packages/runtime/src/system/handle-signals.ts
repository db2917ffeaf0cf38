import { constants } from "node:os";
import { inspect } from "node:util";
import { type ExitReason, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { type Fields, field, isListOf, takeOptions } from "@mini-otp/worker-host/protocol/options";
import { leaveBySignal } from "../guard/leave-process.js";
import { printableLines } from "../reporting/printable.js";
import { ActorSystem, requireSystem } from "./actor-system.js";
import { stopTimeoutMs } from "./system-option-fields.js";

/** What `handleSignals` takes. */
export interface SignalOptions {
  /** Default `["SIGTERM", "SIGINT"]`. */
  signals?: readonly NodeJS.Signals[] | undefined;
  /** What `system.stop` gets. Default 8 000: `docker stop` kills after 10 s, Kubernetes after 30 s. */
  timeoutMs?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 8000;
/** No process can handle these. */
const UNHANDLED: readonly string[] = ["SIGKILL", "SIGSTOP"];

const FIELDS: Fields = {
  signals: field(
    "a list of signals that can be handled, as SIGTERM: not SIGKILL and SIGSTOP",
    isListOf((signal) => Object.hasOwn(constants.signals, signal as string) && !UNHANDLED.includes(signal as string)),
    (list) => [...list],
  ),
  timeoutMs: stopTimeoutMs,
};

/** Of every system that is stopping so that the process can end: the exit code it calls for. */
const stops = new Set<Promise<number>>();

/**
 * Ties the process's end to the system's. The first of these signals stops the system in order, with `timeoutMs` for
 * the whole tree, and then ends the process; the next one ends it at once, whatever its threads are doing. An
 * uncaught exception on the main thread, or an unhandled rejection, is logged and stops the system in order.
 * When the root gives up the process ends too, once everything has stopped and at the latest after `timeoutMs`, whatever
 * else keeps it alive.
 *
 * Exit codes: 0 after a stop in which every child ended in order; 1 if one had to be killed because its time was
 * over, or its `terminate` or `stop` failed, after an uncaught exception, and when the root has given up; on a second
 * signal the process dies of that signal, which a shell shows as 128 + its number (130, 143). A `process.exitCode` that
 * is set stands instead of 0, and instead of 1 for a root that has given up.
 *
 * Returns the function that undoes it, as the end of the system does. With several systems the process ends when
 * all have stopped. Main thread only. Throws ERR_INVALID_OPTION, before anything is listened to: what is no
 * system (the promise of one, say), an unknown signal, a `timeoutMs` below 0.
 */
export function handleSignals(system: ActorSystem, options: SignalOptions = {}): () => void {
  requireSystem("handleSignals", system);
  const taken = takeOptions("handleSignals", options, FIELDS, true);
  const { signals = ["SIGTERM", "SIGINT"], timeoutMs = DEFAULT_TIMEOUT_MS } = taken;
  const logger = ActorSystem.logOf(system);
  const isSilent = (system.logger as { level?: unknown }).level === "silent";
  let leaving = false;
  let undone = false;
  let signalled = false;

  const leave = (code: number, reason: ExitReason): void => {
    leaving = true;
    stops.add(stopped(system, timeoutMs, reason).then((disorder) => Math.max(code, disorder)));
    void exitWhenStopped();
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) {
      logger.warn({ signal }, `${signal} once more: the process ends at once`);
      leaveBySignal(signal);
    }
    signalled = true;
    logger.info({ signal, timeoutMs }, `${signal}: the system stops`);
    leave(0, { kind: "shutdown", detail: signal });
  };
  const onError = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void => {
    // Not even a system without a logger may hide why the process ended.
    if (isSilent) print(error);
    else logger.fatal({ err: error, origin, timeoutMs }, `${origin} on the main thread: the system stops`);
    leave(1, { kind: "shutdown", detail: { kind: "error", error } });
  };
  const onGivingUp = (text: string): void => {
    if (undone) return;
    if (isSilent) print(text);
    leave(0, SHUTDOWN);
  };
  const undo = (): void => {
    undone = true;
    for (const signal of signals) process.off(signal, onSignal);
    process.off("uncaughtException", onError);
  };

  for (const signal of signals) process.on(signal, onSignal);
  // Unhandled rejections come here too, unless the user has said otherwise (--unhandled-rejections).
  process.on("uncaughtException", onError);
  void ActorSystem.gaveUp(system).then(onGivingUp);
  void system.terminated.then(() => {
    if (!leaving) undo();
  });
  return undo;
}

/** To stderr, for a system that has no logger. Never throws. */
function print(value: unknown): void {
  try {
    console.error("%s", printableLines(typeof value === "string" ? value : inspect(value)));
  } catch {
    // A value that cannot be shown, or a console that the application has changed.
  }
}

/** Stops it. Resolves to 1 if that did not go in order. */
async function stopped(system: ActorSystem, timeoutMs: number, reason: ExitReason): Promise<number> {
  let code = 0;
  system.on("actor_exited", ({ context }) => {
    if (context === "shutdown_error") code = 1;
  });
  const { zombie } = await system.stop({ timeoutMs, reason });
  return zombie ? 1 : code;
}

/** What else is open on the main thread must not keep alive a process that was told to end. */
async function exitWhenStopped(): Promise<void> {
  let code = 0;
  // Others are added meanwhile: by another system's listener, or by an exception during the stop.
  for (let awaited = 0; awaited < stops.size; ) {
    awaited = stops.size;
    code = Math.max(...(await Promise.all(stops)));
  }
  if (code > 0) process.exitCode = code;
  process.exit();
}
