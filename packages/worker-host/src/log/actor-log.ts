import type { ActorLog } from "../context.js";
import { describe, describeQuoted } from "../protocol/describe.js";
import { LOG_LEVEL_NAMES, LOG_LEVELS, levelValue } from "../protocol/log-levels.js";
import { isError } from "../protocol/realms.js";
import type { LogPort } from "./log-port.js";

type Bindings = Record<string, unknown>;
type Serializers = Readonly<Record<string, (value: any) => unknown>>;

interface Inherited {
  readonly bindings: Bindings;
  readonly serializers: Serializers;
  readonly prefix: string;
  readonly minimum: number;
}

const ROOT: Inherited = { bindings: {}, serializers: {}, prefix: "", minimum: 0 };

/** The actor's logger. Redaction and serializers of main's logger are main's to apply, to bindings and lines alike. */
export function createActorLog(port: LogPort, inherited = ROOT): ActorLog {
  const { serializers, prefix } = inherited;
  let { bindings, minimum } = inherited;
  // Made once: a line then costs no more than what it carries.
  let carried: Bindings | null = Object.keys(bindings).length === 0 ? null : bindings;

  const at =
    (level: keyof typeof LOG_LEVELS) =>
    (...args: unknown[]): void => {
      const value = LOG_LEVELS[level];
      if (value < port.level || value < minimum) return;
      port.post(level, carried, prefixed(prefix, serialized(serializers, args)));
    };

  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    silent() {},
    child(more, options = {}) {
      const own = { ...serializers, ...readable(options.serializers) } as Serializers;
      return createActorLog(port, {
        bindings: { ...bindings, ...serializedFields(own, more) },
        serializers: own,
        prefix: prefix + (options.msgPrefix ?? ""),
        minimum: options.level === undefined ? minimum : knownLevel(options.level),
      });
    },
    bindings: () => ({ ...bindings }),
    setBindings(more) {
      bindings = { ...bindings, ...serializedFields(serializers, more) };
      carried = bindings;
    },
    isLevelEnabled(level) {
      const value = levelValue(level);
      return value !== undefined && value >= Math.max(port.level, minimum);
    },
    get level() {
      const lowest = Math.max(port.level, minimum);
      return LOG_LEVEL_NAMES.find((name) => LOG_LEVELS[name] >= lowest) ?? "silent";
    },
    set level(level) {
      minimum = knownLevel(level);
    },
    flush(done) {
      done?.();
    },
  };
}

/** Throws RangeError. */
function knownLevel(level: string): number {
  const value = levelValue(level);
  if (value === undefined)
    throw new RangeError(`level=${describeQuoted(level)}: unknown; there are: ${LOG_LEVEL_NAMES.join(", ")}, silent`);
  return value;
}

function serialized(serializers: Serializers, args: unknown[]): unknown[] {
  const [first, ...rest] = args;
  if (typeof first !== "object" || first === null || isError(first)) return args;
  return Object.keys(serializers).length === 0 ? args : [serializedFields(serializers, first), ...rest];
}

function serializedFields(serializers: Serializers, fields: object): Bindings {
  const own = readable(fields);
  for (const [key, serialize] of Object.entries(serializers)) {
    if (!Object.hasOwn(own, key)) continue;
    try {
      own[key] = serialize(own[key]);
    } catch (error) {
      own[key] = `[its serializer threw: ${describe(error)}]`;
    }
  }
  return own;
}

/** The own properties of what a user has given. A getter that throws costs its own value only. */
function readable(given: unknown): Bindings {
  try {
    return { ...(given as object | null | undefined) };
  } catch {
    return Object.fromEntries(keysOf(given as object).map((key) => [key, valueAt(given as object, key)]));
  }
}

function keysOf(given: object): string[] {
  try {
    return Object.keys(given);
  } catch {
    return [];
  }
}

function valueAt(given: object, key: string): unknown {
  try {
    return (given as Bindings)[key];
  } catch {
    return "[unreadable]";
  }
}

function prefixed(prefix: string, args: unknown[]): unknown[] {
  if (prefix === "") return args;
  const text = args.findIndex((arg, index) => index < 2 && typeof arg === "string");
  return text === -1 ? args : args.with(text, prefix + (args[text] as string));
}
