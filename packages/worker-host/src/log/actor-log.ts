import type { ActorLog } from "../actor/context.js";
import { describe } from "../protocol/errors/describe.js";
import { invalidOption } from "../protocol/errors/invalid-option.js";
import { isError } from "../protocol/errors/realms.js";
import { printable, showValue } from "../protocol/errors/show-value.js";
import { anything, type Fields, field, takeOptions, text } from "../protocol/options/fields.js";
import { LOG_LEVEL_NAMES, LOG_LEVELS, levelValue } from "../protocol/port/log-levels.js";
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

// An unreadable property is left out: a value that is logged must not end the actor.
const serializersOf = field("an object of functions", (given) => typeof given === "object" && given !== null, readable);
const CHILD_OPTIONS: Fields = { level: anything, serializers: serializersOf, msgPrefix: text };

/**
 * Creates the actor's logger. Main applies the redaction and serializers of its own logger, to bindings and lines
 * alike.
 */
export function createActorLog(port: LogPort, inherited = ROOT): ActorLog {
  const { serializers, prefix } = inherited;
  let { bindings, minimum } = inherited;
  // Computed once, so that a line costs no more than its own fields.
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
      const taken = takeOptions("log.child", options, CHILD_OPTIONS);
      const own: Serializers = { ...serializers, ...taken.serializers };
      return createActorLog(port, {
        bindings: { ...bindings, ...serializedFields(own, more) },
        serializers: own,
        prefix: prefix + (taken.msgPrefix ?? ""),
        minimum: taken.level === undefined ? minimum : knownLevel(taken.level),
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
      if (typeof done === "function") done();
    },
  };
}

/** Throws ERR_INVALID_OPTION, a RangeError. */
function knownLevel(level: string): number {
  const value = levelValue(level);
  if (value !== undefined) return value;
  const allowed = `${LOG_LEVEL_NAMES.join(", ")}, silent`;
  const facts = { function: "log", field: "level", value: level, allowed };
  throw invalidOption(`level=${shownLevel(level)}: unknown; there are: ${allowed}`, facts, true);
}

function shownLevel(level: unknown): string {
  return typeof level === "string" ? printable(level.slice(0, 80)) : showValue(level);
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

/** The own properties of an object of the user. A getter that throws loses its own value only. */
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
