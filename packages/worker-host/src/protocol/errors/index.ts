// Internal: for @mini-otp/runtime of the same version.
export { describe, shorten } from "./describe.js";
export {
  ActorError,
  type ActorErrorArguments,
  type ActorErrorBase,
  type ActorErrorConstructor,
  type AnyActorError,
  type ErrorWithCode,
  type FactsArgument,
  type FactsOfOthers,
  isActorError,
  isReplyError,
  ReplyError,
} from "./errors.js";
export {
  checkExitReason,
  describeExit,
  exitReasonOf,
  isCleanExit,
  isExitReason,
  KILLED,
  linkedReason,
  NOPROC,
  NORMAL,
  SHUTDOWN,
} from "./exit-reason.js";
export type {
  ActorErrorCode,
  ChildFacts,
  FactName,
  FactsByCode,
  MailboxFacts,
  MethodFacts,
  ModuleFacts,
  NodeFacts,
  OptionFacts,
  ProcessFacts,
  SpecFacts,
  StageFacts,
  StartFacts,
} from "./facts.js";
export { invalidOption } from "./invalid-option.js";
export { isError } from "./realms.js";
export type { ExitKind, ExitReason } from "./reason-kinds.js";
export { takeFrames, withCaller } from "./remote-error.js";
export { printable, shownMethod, showValue } from "./show-value.js";
export { withoutRuntimeFrames } from "./shown-stack.js";
