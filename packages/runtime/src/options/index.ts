/*
 * For the packages beside this one: the functions that check options, so that all packages refuse a wrong option in the
 * same way. Not for applications.
 */
export { invalidOption } from "@mini-otp/worker-host/protocol/errors";
export {
  BOUNDS,
  type Field,
  type Fields,
  field,
  flag,
  integer,
  isListOf,
  isRecord,
  isText,
  required,
  secret,
  takeArgument,
  takeOptions,
} from "@mini-otp/worker-host/protocol/options";
export { normaliseSpec as checkSpec } from "../supervision/normalise-spec.js";
export { invalidSpec, readSpec } from "../supervision/spec-fields.js";
export { requireSystem } from "../system/actor-system.js";
