import { invalidOption, showValue } from "@mini-otp/worker-host/protocol/errors";

/** What the environment of the process says about the log. */
export interface LogVariables {
  /** `MINI_OTP_LOG`: the form of the default logger. Undefined: readable on a terminal, else JSON. */
  readonly form: "readable" | "json" | undefined;
  /** `MINI_OTP_STACKS`: with `full`, stacks of crashes keep the frames of the runtime. */
  readonly fullStacks: boolean;
}

/** Throws ERR_INVALID_OPTION for a value that a variable does not take. */
export function readLogVariables(env: Readonly<Record<string, string | undefined>>): LogVariables {
  const form = oneOf(env, "MINI_OTP_LOG", ["readable", "json"]);
  return { form, fullStacks: oneOf(env, "MINI_OTP_STACKS", ["full", "short"]) === "full" };
}

/** An empty variable counts as none. */
function oneOf<T extends string>(
  env: Readonly<Record<string, string | undefined>>,
  field: string,
  values: readonly T[],
): T | undefined {
  const value = env[field];
  if (value === undefined || value === "") return undefined;
  const known = values.find((each) => each === value);
  if (known !== undefined) return known;
  const allowed = values.join(" or ");
  const facts = { function: "startSystem", field, value, allowed };
  throw invalidOption(`startSystem: the environment variable ${field}=${showValue(value)}, must be ${allowed}`, facts);
}
