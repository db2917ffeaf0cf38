import {
  ActorError,
  type ActorErrorBase,
  type ActorErrorCode,
  type AnyActorError,
  type ExitReason,
  type FactsByCode,
  isActorError,
} from "@mini-otp/runtime";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A, B>(_equal: Equal<A, B>): void => {};

export function byCode(error: unknown): string {
  if (isActorError(error, "ERR_CALL_EXIT")) {
    is<typeof error, ActorError<"ERR_CALL_EXIT">>(true);
    is<typeof error.reason, ExitReason>(true);
    return error.reason.kind;
  }
  if (isActorError(error, "ERR_CALL_TIMEOUT")) return `${error.method} ${error.timeoutMs.toFixed()} ${error.id}`;
  if (isActorError(error, "ERR_CALL_CYCLE")) return error.cycle.join();
  if (isActorError(error, "ERR_NOPROC")) return error.id ?? "unknown";
  if (isActorError(error, "ERR_INVALID_CHILD_SPEC")) return `${error.field} ${error.allowed}`;
  if (isActorError(error, "ERR_NOT_CLONEABLE")) return error.path;
  // Without a code a fact may be missing, and a comparison narrows.
  if (isActorError(error)) {
    is<typeof error.reason, ExitReason | undefined>(true);
    is<typeof error.bytes, number | undefined>(true);
    switch (error.code) {
      case "ERR_NAME_TAKEN":
        return error.holder;
      case "ERR_MESSAGE_TOO_LARGE":
        return `${error.bytes} of ${error.limit}`;
      default:
        return error.message;
    }
  }
  if (error instanceof ActorError && error.code === "ERR_INIT_FAILED") return error.reason.kind;
  return "";
}

export function anyOf<C extends ActorErrorCode>(error: unknown, code: C): ActorError<C> | undefined {
  return isActorError(error, code) ? error : undefined;
}

class OwnError extends ActorError {
  own = 1;
}
export const own = (error: unknown): number => (error instanceof OwnError ? error.own : 0);
export const anyError: ActorError = new ActorError("ERR_NOPROC", "no such actor", { id: "root/a" });
export const asBase: ActorErrorBase = anyError;
export const asAny: AnyActorError = new OwnError("ERR_NOPROC", "no such actor", { id: "root/a" }) as ActorError;
export const made: ActorError<"ERR_NOPROC"> = new ActorError("ERR_NOPROC", "no such actor", { id: "root/a" });
export const facts: FactsByCode["ERR_MAILBOX_FULL"] = { id: "root/a", method: "hash" };
