// Internal: for @mini-otp/runtime of the same version.
export { describe, shorten } from "./describe.js";
export { ActorError, type ActorErrorCode, isActorError, isReplyError, ReplyError } from "./errors.js";
export {
  checkExitReason,
  describeExit,
  type ExitKind,
  type ExitReason,
  exitReasonOf,
  isCleanExit,
  isExitReason,
  KILLED,
  NOPROC,
  NORMAL,
  SHUTDOWN,
} from "./exit-reason.js";
export { invalidOption } from "./invalid-option.js";
export { isError } from "./realms.js";
export { printable, shownMethod, showValue } from "./show-value.js";
