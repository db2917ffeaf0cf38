import { ActorError, printable, showValue } from "@mini-otp/worker-host/protocol/errors";
import { type Fields, isComplaint, isRecord, takeFields } from "@mini-otp/worker-host/protocol/options";

/** A copy of a spec that fits `fields`. Throws ERR_INVALID_CHILD_SPEC, which names the field, its value and what is allowed. */
export function takeSpec(id: string, spec: unknown, fields: Fields): Record<string, unknown> {
  const taken = takeFields(spec, fields);
  if (isComplaint(taken)) throw invalidSpec(id, taken.path, taken.value, taken.allowed);
  return taken;
}

/** A copy of a spec that reads each field once, because it may be a getter. Throws ERR_INVALID_CHILD_SPEC. */
export function readSpec<S extends object>(spec: S, id: string): S {
  try {
    if (isRecord(spec)) return { ...spec };
  } catch (error) {
    throw invalidSpec(id, "", spec, `an object that can be read; reading it threw ${showValue(error)}`);
  }
  throw invalidSpec(id, "", spec, "an object");
}

/** An ERR_INVALID_CHILD_SPEC with `id`, `field`, `value` and `allowed`. */
export function invalidSpec(id: string, field: string, value: unknown, allowed: string): ActorError {
  const message = `invalid child spec ${showValue(id)}: ${complaintOf(field, value, allowed)}`;
  return new ActorError("ERR_INVALID_CHILD_SPEC", message, { id, field, value, allowed });
}

/** Says what is wrong with a field, in the words that errors of specs use. */
export function complaintOf(field: string, value: unknown, allowed: string): string {
  const what = field === "" ? "" : `${printable(field).slice(0, 80)} is `;
  return `${what}${showValue(value)}; allowed: ${allowed}`;
}
