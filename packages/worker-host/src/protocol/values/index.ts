// Internal: for @mini-otp/runtime of the same version.
export { Codec, type ForeignReferences, keepPayload } from "./codec.js";
export {
  decodeForeign,
  decodeReason,
  type Encoded,
  encoded,
  encodeForeign,
  payloadOf,
  type TaskValue,
} from "./encoded.js";
export { checkLeaves, decodeTask, encodeTask, takeTransferred, transferListOf } from "./task-value.js";
export { copyValue } from "./value-graph.js";
