import type { ActorLog } from "@mini-otp/worker-host";
import type { Logger } from "../reporting/logger.js";

/**
 * Makes an `ActorLog` of `logger`. A pino logger already is one; for others, the lines of a child carry its bindings.
 */
export function inlineLog(logger: Logger, own: Record<string, unknown> = {}): ActorLog {
  if ("child" in logger) return logger as unknown as ActorLog;
  let bindings = own;
  const at =
    (level: "trace" | "debug" | "info" | "warn" | "error" | "fatal") =>
    (...args: unknown[]): void => {
      const [first, ...rest] = args;
      const isFields = typeof first === "object" && first !== null && !(first instanceof Error);
      if (Object.keys(bindings).length === 0) logger[level](...args);
      else if (isFields) logger[level]({ ...bindings, ...first }, ...rest);
      else if (first instanceof Error) logger[level]({ ...bindings, err: first }, ...rest);
      else logger[level](bindings, ...args);
    };
  return {
    level: logger.level ?? "trace",
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    silent: () => {},
    child: (more) => inlineLog(logger, { ...bindings, ...more }),
    bindings: () => bindings,
    setBindings: (more) => {
      bindings = { ...bindings, ...more };
    },
    isLevelEnabled: () => true,
    flush: (done) => done?.(),
  };
}
