import {
  ActorError,
  describeExit,
  type ExitReason,
  isActorError,
  takeFrames,
} from "@mini-otp/worker-host/protocol/errors";
import type { FullChildSpec } from "./child-spec.js";

/**
 * The error with which `startChild`, `restartChild` and `startSystem` reject: ERR_INIT_FAILED or ERR_INIT_TIMEOUT with
 * `id`, `reason` and `cause`. An error that already has all of these passes through: ERR_ACTOR_MODULE, ERR_NAME_TAKEN,
 * and a nested supervisor's error about its own child. With `spec` it says what the spec of an actor lacks.
 */
export function startError(
  id: string,
  type: "worker" | "supervisor",
  reason: ExitReason,
  spec?: FullChildSpec,
): ActorError {
  const cause = reason.kind === "init_failed" || reason.kind === "error" ? reason.error : undefined;
  const passes =
    type === "supervisor" || isActorError(cause, "ERR_ACTOR_MODULE") || isActorError(cause, "ERR_NAME_TAKEN");
  if (passes && isActorError(cause)) return cause;
  const code = reason.kind === "init_timeout" ? "ERR_INIT_TIMEOUT" : "ERR_INIT_FAILED";
  const error = new ActorError(code, `${id} failed to start: ${describeExit(reason)}${argsHint(cause, spec)}`, {
    id,
    reason,
    cause,
  });
  // The frames of `init`: those of this loop are the same for every start.
  return takeFrames(error, cause) as ActorError;
}

/** `init` that takes its arguments apart throws a TypeError when there are none, which does not say that they are missing. */
function argsHint(cause: unknown, spec: FullChildSpec | undefined): string {
  const isOfActor = spec?.kind === "actor" || spec?.kind === "router";
  return isOfActor && spec.args === undefined && cause instanceof TypeError ? "; the spec has no args" : "";
}
