import { isActorDefinition } from "@mini-otp/worker-host";
import { ActorError, isActorError, showValue } from "@mini-otp/worker-host/protocol/errors";
import {
  type Fields,
  inWords,
  isComplaint,
  isPlain,
  isRecord,
  takeFields,
} from "@mini-otp/worker-host/protocol/options";

/** A copy of a spec that fits `fields`. Throws ERR_INVALID_CHILD_SPEC, which names the field, its value and what is allowed. */
export function takeSpec(id: string, spec: unknown, fields: Fields): Record<string, unknown> {
  const taken = takeFields(spec, fields);
  if (isComplaint(taken)) throw invalidSpec(id, taken.path, taken.value, taken.allowed, taken.known);
  return taken;
}

const A_SPEC = 'a child spec: { id: "hasher", actor: new URL("./hasher.actor.js", import.meta.url) }';

/** A copy of a spec that reads each field once, because it may be a getter. Throws ERR_INVALID_CHILD_SPEC. */
export function readSpec<S extends object>(spec: S, id: string): S {
  try {
    if (isActorDefinition(spec)) throw invalidSpec(id, "", spec, `${A_SPEC}; a definition stays in its module`);
    // A URL, say, or a promise: an object without properties of its own is no spec with all of them left out.
    if (isRecord(spec) && (isPlain(spec) || Object.keys(spec).length > 0)) return { ...spec };
  } catch (error) {
    if (isActorError(error, "ERR_INVALID_CHILD_SPEC")) throw error;
    throw invalidSpec(id, "", spec, `an object that can be read; reading it threw ${showValue(error)}`);
  }
  throw invalidSpec(id, "", spec, A_SPEC);
}

/** An ERR_INVALID_CHILD_SPEC with `id`, `field`, `value` and `allowed`. */
export function invalidSpec(
  id: string,
  field: string,
  value: unknown,
  allowed: string,
  known?: readonly string[],
): ActorError {
  const message = `invalid child spec ${showValue(id)}: ${inWords({ path: field, value, allowed, known }, "spec")}`;
  return new ActorError("ERR_INVALID_CHILD_SPEC", message, { id, field, value, allowed });
}
