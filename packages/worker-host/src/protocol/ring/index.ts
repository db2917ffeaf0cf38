// Internal: for @mini-otp/runtime of the same version.
export {
  FORMAT_MEMBER,
  FORMAT_PARCEL,
  FORMAT_TRACED,
  fillPayload,
  isLargeEnoughForBytes,
  isWithoutReferences,
  newPayload,
  PARCEL_TARGET,
  type Payload,
  payloadOfBytes,
} from "./payload.js";
export { RingReader } from "./ring-reader.js";
export { BUSY, CLOSED, FULL, PUSHED, RingWriter } from "./ring-writer.js";
