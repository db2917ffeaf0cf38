import { invalidOption } from "@mini-otp/runtime/options";

/** Calls a method of what a user has given as an option. What it throws is an ERR_INVALID_OPTION, with that as its `cause`. */
export type CallGiven = <T>(method: string, call: () => T) => T;

export function callsOf(caller: string, field: string, value: unknown, allowed: string): CallGiven {
  return (method, call) => {
    try {
      return call();
    } catch (cause) {
      const error = invalidOption(`${caller}: ${field}: its ${method}() threw; give ${allowed}`, {
        function: caller,
        field,
        value,
        allowed,
      });
      throw Object.assign(error, { cause });
    }
  };
}
