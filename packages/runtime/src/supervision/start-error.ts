import {
  ActorError,
  describeExit,
  type ExitReason,
  isActorError,
  takeFrames,
} from "@mini-otp/worker-host/protocol/errors";

/**
 * The error with which `startChild`, `restartChild` and `startSystem` reject: ERR_INIT_FAILED or ERR_INIT_TIMEOUT with
 * `id`, `reason` and `cause`. An error that already has all of these passes through: ERR_ACTOR_MODULE, ERR_NAME_TAKEN,
 * and a nested supervisor's error about its own child. `lack` says what the actor was not given, if it may have been that:
 * `init` that takes its arguments apart throws a TypeError when there are none, which does not say that they are missing.
 */
export function startError(id: string, type: "worker" | "supervisor", reason: ExitReason, lack?: string): ActorError {
  const cause = reason.kind === "init_failed" || reason.kind === "error" ? reason.error : undefined;
  const passes =
    type === "supervisor" || isActorError(cause, "ERR_ACTOR_MODULE") || isActorError(cause, "ERR_NAME_TAKEN");
  if (passes && isActorError(cause)) return cause;
  const code = reason.kind === "init_timeout" ? "ERR_INIT_TIMEOUT" : "ERR_INIT_FAILED";
  const hint = lack !== undefined && cause instanceof TypeError ? `; ${lack}` : "";
  const error = new ActorError(code, `${id} failed to start: ${describeExit(reason)}${hint}`, {
    id,
    reason,
    cause,
  });
  // The frames of `init`: those of this loop are the same for every start.
  return takeFrames(error, cause) as ActorError;
}

/** What the spec of an actor, or of a router, lacks. */
export function lackOf({ kind, args }: { readonly kind?: unknown; readonly args?: unknown }): string | undefined {
  return (kind === "actor" || kind === "router") && args === undefined ? "the spec has no args" : undefined;
}
