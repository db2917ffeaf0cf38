import { isLogger } from "./reporting/logger.js";
import { anything, checkFields, type Fields, field, text } from "./supervision/spec-fields.js";

const aLogger = field(
  "false, or a logger: an object with methods as error, warn, info and debug",
  (value) => value === false || isLogger(value),
);

/** `anything` is checked by whoever uses it. */
const SYSTEM: Fields = {
  name: text,
  strategy: anything,
  intensity: anything,
  periodMs: anything,
  autoShutdown: anything,
  children: anything,
  spares: anything,
  logger: aLogger,
  guard: anything,
};

/** Throws ERR_INVALID_CHILD_SPEC for options that do not exist, and for values that are none. */
export function checkSystemOptions(options: unknown): void {
  checkFields("root", options, SYSTEM);
}
