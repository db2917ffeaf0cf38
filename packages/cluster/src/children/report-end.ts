import { describeExit, isCleanExit, type ResourceContext } from "@mini-otp/runtime";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";

/** What the end of an actor that a resource stands for is to the resource's supervisor. */
export function reportEnd(context: ResourceContext, id: string, reason: ExitReason): void {
  if (isCleanExit(reason)) context.finish();
  else context.fail(reason.kind === "error" ? reason.error : new Error(`${id} has ended: ${describeExit(reason)}`));
}
