// A system whose logger, listeners or outputs fail in the way that the first argument names. An actor writes, crashes and
// is restarted meanwhile. Writes what came of it to the file that the second argument names; `handler` as the third
// argument handles uncaught exceptions, as many applications do.
import { closeSync, openSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import type { ActorSystem, Logger, SystemOptions } from "@mini-otp/runtime";
import pino from "pino";
import type Scribbler from "../fixtures/scribbler.actor.js";

const [given, resultFile, handled] = process.argv.slice(2);
// The form of the lines is in the environment.
const mode = given.replace(/, readable$/, "");
const uncaught: string[] = [];
if (handled === "handler") process.on("uncaughtException", (error) => void uncaught.push(String(error)));

const raise = (): never => {
  throw new Error("raised");
};
const never = async (): Promise<never> => raise();
const all = (method: (...args: any[]) => any): Logger =>
  ({ trace: method, debug: method, info: method, warn: method, error: method, fatal: method }) as Logger;

/** What the file descriptor leads to from now on. */
function redirect(fd: number, path: string): void {
  closeSync(fd);
  if (openSync(path, "w") !== fd) throw new Error(`fd ${fd} is taken`);
}

function logger(): SystemOptions["logger"] {
  switch (mode) {
    case "stderr full":
      redirect(2, "/dev/full");
      return undefined;
    case "stdout full":
      redirect(1, "/dev/full");
      return undefined;
    case "both full, console":
      redirect(1, "/dev/full");
      redirect(2, "/dev/full");
      return console as unknown as Logger;
    case "no reader":
      return undefined;
    case "stderr slow":
      // It has no reader, and its writers are not to wait.
      new Socket({ fd: 2, readable: false, writable: true }).unref();
      return undefined;
    case "throws":
      return all(raise);
    case "rejects":
      return all(never);
    case "throws at errors only":
      return { ...all(() => {}), error: raise, fatal: raise };
    case "getters throw":
      return Object.defineProperties(all(raise), {
        level: { get: raise },
        levels: { get: raise },
        on: { get: raise },
        off: { get: raise },
      });
    case "pino, serializers throw":
      return pino({ serializers: { reason: raise, err: raise, id: raise, actor: raise } }, { write() {} });
    case "pino, formatters throw":
      return pino({ formatters: { log: raise } }, { write() {} });
    case "pino, stream throws":
      return pino({}, { write: raise });
    case "pino, disk full":
      return pino({}, pino.destination({ dest: "/dev/full", sync: true }));
    case "pino, disk full, asynchronous":
      return pino({}, pino.destination({ dest: "/dev/full", sync: false }));
    case "pino, stderr full by transport":
      return pino({}, pino.transport({ target: "pino/file", options: { destination: "/dev/full" } }));
    default:
      return mode.startsWith("listeners") ? all(() => {}) : raise();
  }
}

function listen(system: ActorSystem): void {
  if (!mode.startsWith("listeners")) return;
  const listener = mode === "listeners throw" ? raise : never;
  system.on("actor_exited", listener);
  system.on("actor_restarted", listener);
  system.on("actor_started", listener);
  system.on("dead_letter", listener);
  system.on("system_stopped", listener);
  system.onLog(listener);
  system.meters.onGone(listener);
}

if (mode === "no reader") {
  process.stdout.write("ready");
  // Until the parent has closed its ends.
  for await (const _ of process.stdin);
}
const ownLogger = logger();
const { startSystem } = await import("@mini-otp/runtime");
const system = await startSystem(ownLogger === undefined ? {} : { logger: ownLogger });
listen(system);
const actor = new URL("../fixtures/scribbler.actor.js", import.meta.url);
const scribbler = await system.startChild<typeof Scribbler>({ id: "scribbler", actor });
if (mode.startsWith("listeners")) system.monitor(scribbler, mode === "listeners throw" ? raise : never);
const bystander = await system.startChild<typeof Scribbler>({ id: "bystander", actor, restart: "temporary" });
const prints = mode !== "stderr slow";
const before = await scribbler.call("write", prints ? 20 : 2000, prints);
const restarted = new Promise<void>((resolve) => void system.on("actor_restarted", () => resolve()));
const crash = await scribbler.call("crash").catch((error: { code: string }) => error.code);
await restarted;
const after = await scribbler.call("write", 20, prints);
const gone = new Promise<void>((resolve) => void system.on("actor_exited", () => resolve()));
await bystander.call("crash").catch(() => {});
await gone;
const { actors, logLinesLost } = system.stats();
const { killed } = await system.stop();
writeFileSync(resultFile, JSON.stringify({ before, crash, after, actors, lost: logLinesLost, killed, uncaught }));
// What the parent does with its ends of the pipes is not to matter any more.
if (mode === "stderr slow") process.exit();
