// Internal: for @mini-otp/runtime of the same version.

export { whenAborted } from "../refs/when-aborted.js";
export { CALL_OUTCOMES, type CallOutcome } from "./call-outcome.js";
export { MemberPeer } from "./member-peer.js";
export { OpenCalls } from "./open-calls.js";
export { Outbox } from "./outbox.js";
export { mailboxFull } from "./overflow.js";
export type { Peer, Self, Unsent } from "./peers.js";
export { PendingCalls } from "./pending-calls.js";
export type { PublishedCall } from "./published-call.js";
export { Queue } from "./queue.js";
export { type CallerNotices, EncodedReply, type SystemRecord, takeRecord, takeReplies } from "./replies.js";
export { loadTelemetry } from "./telemetry.js";
export { WaitingLine } from "./waiting-line.js";
