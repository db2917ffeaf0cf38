import { ActorError, MAX_TIMER_MS } from "@mini-otp/worker-host/protocol";

/** One field of a spec: what it may be, and the words an error uses for that. */
export interface Field {
  readonly allowed: string;
  readonly required?: true;
  /** Null, or what is wrong with the value, as a path to the part that is and the words for what it may be. */
  check(value: unknown): Complaint | null;
}

interface Complaint {
  readonly path: string;
  readonly value: unknown;
  readonly allowed: string;
}

export type Fields = Readonly<Record<string, Field>>;

/** A field that is right when `accepts` says so. */
export function field(allowed: string, accepts: (value: unknown) => boolean): Field {
  return { allowed, check: (value) => (accepts(value) ? null : { path: "", value, allowed }) };
}

export function required(of: Field): Field & { required: true } {
  return { ...of, required: true };
}

export function oneOf(...values: readonly string[]): Field {
  return field(values.map((value) => JSON.stringify(value)).join(", "), (value) => values.includes(value as string));
}

export function integer(min: number, max = Number.MAX_SAFE_INTEGER): Field {
  const allowed =
    max === Number.MAX_SAFE_INTEGER ? `a whole number, ${min} or more` : `a whole number from ${min} to ${max}`;
  return field(allowed, (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max);
}

/** Longer ones than Node's timers can count are a mistake, too. */
export function milliseconds(min: number): Field {
  return field(`milliseconds, from ${min} to ${MAX_TIMER_MS}`, (value) => isNumber(value, min, MAX_TIMER_MS));
}

export function numberFrom(min: number, max: number, unit = "a number"): Field {
  return field(`${unit}, from ${min} to ${max}`, (value) => isNumber(value, min, max));
}

export const positiveMb = field("MiB, more than 0", (value) => isNumber(value, Number.MIN_VALUE, Number.MAX_VALUE));
export const flag = field("true or false", (value) => typeof value === "boolean");
export const text = field("a text that is not empty", (value) => typeof value === "string" && value !== "");
export const anything = field("anything", () => true);
export const aFunction = field("a function", (value) => typeof value === "function");
export const aModule = field(
  'a module, by its URL or path: new URL("./x.js", import.meta.url)',
  (value) => value instanceof URL || text.check(value) === null,
);
export const texts = field(
  "a list of texts",
  (value) => Array.isArray(value) && value.every((v) => typeof v === "string"),
);

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field that has fields itself. */
export function group(fields: Fields): Field {
  return { allowed: `{ ${Object.keys(fields).join(", ")} }`, check: (value) => firstComplaint(value, fields) };
}

/** Throws ERR_INVALID_CHILD_SPEC, naming the field, its value and what is allowed, unless `spec` fits `fields`. */
export function checkFields(id: string, spec: unknown, fields: Fields): void {
  const complaint = firstComplaint(spec, fields);
  if (complaint !== null) throw invalidSpec(id, complaint.path, complaint.value, complaint.allowed);
}

/** ERR_INVALID_CHILD_SPEC with `id`, `field`, `value` and `allowed`. */
export function invalidSpec(id: string, field: string, value: unknown, allowed: string): ActorError {
  const what = field === "" ? "" : `${field} is `;
  const message = `invalid child spec ${show(id)}: ${what}${show(value)}; allowed: ${allowed}`;
  return new ActorError("ERR_INVALID_CHILD_SPEC", message, { id, field, value, allowed });
}

function firstComplaint(value: unknown, fields: Fields): Complaint | null {
  const names = Object.keys(fields);
  if (!isRecord(value)) return { path: "", value, allowed: `an object with ${names.join(", ")}` };
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) return { path: name, value: value[name], allowed: noSuchField(name, names) };
  }
  for (const [name, field] of Object.entries(fields)) {
    if (value[name] === undefined && !field.required) continue;
    const complaint = field.check(value[name]);
    if (complaint !== null) return { ...complaint, path: complaint.path === "" ? name : `${name}.${complaint.path}` };
  }
  return null;
}

function noSuchField(name: string, names: readonly string[]): string {
  const [nearest] = names
    .map((known) => ({ known, edits: editDistance(name, known) }))
    .sort((a, b) => a.edits - b.edits);
  const close = nearest !== undefined && nearest.edits <= Math.max(2, name.length / 3);
  return close ? `no such field, did you mean "${nearest.known}"?` : `no such field, only ${names.join(", ")}`;
}

/** Levenshtein, without regard to case. */
function editDistance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = above[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j] + 1, row[j - 1] + 1));
    }
  }
  return row[to.length];
}

function isNumber(value: unknown, min: number, max: number): boolean {
  return typeof value === "number" && value >= min && value <= max;
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  try {
    return isRecord(value) || Array.isArray(value) ? JSON.stringify(value).slice(0, 80) : String(value);
  } catch {
    return "an object";
  }
}
