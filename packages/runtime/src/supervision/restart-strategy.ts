import { type ExitReason, isCleanExit } from "@mini-otp/worker-host/protocol/errors";
import type { RestartType, StopRequest } from "./child.js";

/** Which children are restarted when one has failed: that one, all, or that one and those that were started after it. */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one";
/**
 * Whether a supervisor shuts down when a child that is `significant` ends by itself: never, when one of them has ended,
 * or when the last of them has.
 */
export type AutoShutdown = "never" | "any_significant" | "all_significant";

/** What a supervisor does with a child that ended by itself: restarts it, keeps its spec, or deletes that too. */
export type AfterExit = "restart" | "keep" | "delete";

export function afterExit(restart: RestartType, reason: ExitReason): AfterExit {
  switch (restart) {
    case "permanent":
      return "restart";
    case "transient":
      return isCleanExit(reason) ? "keep" : "restart";
    case "temporary":
      return "delete";
  }
}

/** The children that are stopped and started because one failed, that one included, in start order. */
export function affectedBy<C>(strategy: Strategy, children: StartOrder<C>, failedId: string): Iterable<C> {
  switch (strategy) {
    case "one_for_one": {
      const failed = children.get(failedId);
      return failed === undefined ? [] : [failed];
    }
    case "one_for_all":
      return children;
    case "rest_for_one":
      return children.from(failedId);
  }
}

interface StartOrder<C> extends Iterable<C> {
  get(id: string): C | undefined;
  /** The child of this id and those after it. */
  from(id: string): Iterable<C>;
}

/** Whether the supervisor shuts down because a child ended by itself and is not restarted. */
export function shutsDown(
  autoShutdown: AutoShutdown,
  ended: { readonly significant: boolean },
  anotherSignificantLives: boolean,
): boolean {
  switch (autoShutdown) {
    case "never":
      return false;
    case "any_significant":
      return ended.significant;
    case "all_significant":
      return ended.significant && !anotherSignificantLives;
  }
}

/**
 * Whether a stop that the supervisor requested ended as expected. Otherwise it is reported as an error, although the
 * stop has succeeded.
 */
export function isCleanStop(restart: RestartType, request: StopRequest, reason: ExitReason): boolean {
  if (restart !== "permanent" && isCleanExit(reason)) return true;
  switch (reason.kind) {
    case "killed":
      return request.shutdown === "brutal_kill";
    case "shutdown":
      return reason.detail === undefined || hasDetail(request.reason);
    default:
      return false;
  }
}

function hasDetail(reason: ExitReason): boolean {
  return reason.kind === "shutdown" && reason.detail !== undefined;
}
