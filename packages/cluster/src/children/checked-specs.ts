import type { ActorSpec } from "@mini-otp/runtime";
import { checkSpec, invalidSpec, isRecord, isText, readSpec } from "@mini-otp/runtime/options";
import { isPlain } from "@mini-otp/worker-host/protocol/options";
import { NODE_NAME } from "../nodes/node-name.js";
import type { RemoteSpec } from "./remote-spec.js";
import type { SingletonSpec } from "./singleton-spec.js";

const LABELS = "an object of texts";
/** Fields of an actor's spec that a singleton's has not: its name is its id. */
const NOT_OF_SINGLETONS = ["kind", "name", "significant"];

/** A copy of a singleton's spec. Throws as a supervisor does for an actor's spec, before there is a supervisor. */
export function checkedSingleton<A>(spec: SingletonSpec<A>): SingletonSpec<A> {
  const read = readSpec(spec, "singleton(…)");
  const { id, on, args, ...actor } = read;
  const wrong = (field: string, value: unknown, allowed: string) => invalidSpec(String(id), field, value, allowed);
  for (const field of NOT_OF_SINGLETONS) {
    const value = (read as unknown as Record<string, unknown>)[field];
    if (value !== undefined) throw wrong(field, value, "nothing: a singleton has no such field");
  }
  if (on !== undefined && !areLabels(on)) throw wrong("on", on, LABELS);
  if (args !== undefined && !isPlainRecord(args)) throw wrong("args", args, "an object, to which `fence` is added");
  checkSpec({ ...(actor as ActorSpec), id, args }, "singleton(…)");
  return read;
}

/** A copy of a remote child's spec. The rest of it is checked when it is started. Throws ERR_INVALID_CHILD_SPEC. */
export function checkedRemote(spec: RemoteSpec): RemoteSpec {
  const read = readSpec(spec, "remote(…)");
  const { id, offer, on } = read;
  const wrong = (field: string, value: unknown, allowed: string) => invalidSpec(String(id), field, value, allowed);
  if (!isText(offer) || offer === "") throw wrong("offer", offer, "the name of what the other node offers");
  const { node, anyOf, ...others } = (isRecord(on) ? on : {}) as Record<string, unknown>;
  const isOne =
    Object.keys(others).length === 0 &&
    (anyOf === undefined ? isText(node) && NODE_NAME.test(node) : node === undefined && areLabels(anyOf));
  if (!isOne) throw wrong("on", on, '{ node: "name of a node" } or { anyOf: { label: "value" } }');
  return read;
}

function areLabels(value: unknown): boolean {
  return isPlainRecord(value) && Object.values(value as object).every(isText);
}

function isPlainRecord(value: unknown): boolean {
  return isRecord(value) && isPlain(value);
}
