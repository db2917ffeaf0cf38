/*
 * For packages beside this one: what they check their own options with, so that a project has one way to be told of a
 * wrong one. Not for applications.
 */
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
  secret,
  takeArgument,
  takeOptions,
} from "@mini-otp/worker-host/protocol/options";
export { requireSystem } from "../system/actor-system.js";
