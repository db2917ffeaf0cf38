import { type ActorError, brandAsActorError } from "./errors.js";
import type { OptionFacts } from "./facts.js";

const CODE = "ERR_INVALID_OPTION";

/** As Node does it: an error of the language's own class that has a code. `isActorError` knows it. */
function optionError(Base: typeof TypeError | typeof RangeError) {
  return class OptionError extends Base implements OptionFacts {
    static {
      brandAsActorError(this.prototype);
    }

    readonly code = CODE;
    readonly function!: string;
    readonly field!: string;
    readonly value!: unknown;
    readonly allowed!: string;

    constructor(message: string, facts: OptionFacts) {
      super(message);
      Object.assign(this, facts);
    }
  };
}

const OptionTypeError = optionError(TypeError);
/** For a number that is out of its bounds. */
const OptionRangeError = optionError(RangeError);

/** ERR_INVALID_OPTION: an ActorError that is a TypeError, or with `numbers` a RangeError. */
export function invalidOption(message: string, facts: OptionFacts, isRange = false): ActorError<"ERR_INVALID_OPTION"> {
  const error = isRange ? new OptionRangeError(message, facts) : new OptionTypeError(message, facts);
  return error as unknown as ActorError<"ERR_INVALID_OPTION">;
}
