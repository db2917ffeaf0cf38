// Internal: for the testing kit of @mini-otp/runtime of the same version, which runs actors without a thread.
export { CurrentCall, type Replies } from "./current-call.js";
export { type Handler, HandlerTable, requireHandler } from "./handler-table.js";
export { blocks, handedOnce, lifeEnded, ownThreadOnly } from "./light-refusals.js";
export { LoopState } from "./loop-state.js";
export { THREW } from "./message-handler.js";
export { DRAINED, HAND_OVER, MAIL, type Mail, NOTHING, nextWork, STOP, type Work } from "./next-work.js";
export { isStream } from "./outgoing-stream.js";
export { OwnMessages } from "./own-messages.js";
export { portableSpec } from "./portable-spec.js";
export type { ReplyTo } from "./reply-to.js";
export { Streams } from "./streams.js";
