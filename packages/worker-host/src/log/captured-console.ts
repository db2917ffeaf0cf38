import { Console } from "node:console";
import { Writable } from "node:stream";
import type { ActorLog } from "../actor/context.js";
import { describe } from "../protocol/errors/describe.js";
import type { LogLevel } from "../protocol/port/log-levels.js";

/** All other methods log at level info. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  trace: "debug",
  warn: "warn",
  error: "error",
  assert: "error",
};

/** From now on this thread's `console` writes to the log, formatted as always: each call is one line. */
export function captureConsole(log: ActorLog): void {
  let level: LogLevel = "info";
  const sink = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      log[level](text.replace(/\n$/, ""));
      done();
    },
  });
  const captured = new Console({ stdout: sink, stderr: sink, colorMode: false }) as unknown as Methods;
  const methods = globalThis.console as unknown as Methods;
  for (const [name, method] of Object.entries(captured)) {
    if (typeof method !== "function") continue;
    methods[name] = (...args) => {
      level = LEVELS[name] ?? "info";
      try {
        return method.apply(captured, args);
      } catch (error) {
        // The value has its own way to be shown, which throws.
        log[level](`[cannot be shown: ${describe(error)}]`);
        return undefined;
      }
    };
  }
}

type Methods = Record<string, (...args: unknown[]) => unknown>;
