import type { ActorError } from "../errors/errors.js";
import { invalidOption } from "../errors/invalid-option.js";
import { printable, showValue } from "../errors/show-value.js";
import { BOUNDS, MAX_LIST_LENGTH, MAX_NAME_LENGTH } from "./bounds.js";

/** One field of a spec or of options: the check, and the words an error uses for the allowed values. */
export interface Field {
  readonly allowed: string;
  readonly required?: true;
  /** Set for a number: functions that say so throw a RangeError for a wrong one. */
  readonly isNumber?: true;
  /** Returns the value, copied where it must not change afterwards, or a complaint. */
  take(value: unknown): unknown;
}

const MAX_SHOWN_PATH = 80;

const complaints = new WeakSet<object>();

/**
 * Whether `take` has returned a complaint. Not by `instanceof`, which would run a trap when a valid value is a Proxy.
 */
export function isComplaint(taken: unknown): taken is Complaint {
  return typeof taken === "object" && taken !== null && complaints.has(taken);
}

/** A wrong value: the path to it, and the words for what is allowed. */
export class Complaint {
  readonly path: string;
  readonly value: unknown;
  readonly allowed: string;
  /** For an unknown field: the names of the known ones. */
  readonly known: readonly string[] | undefined;
  readonly isNumber: boolean;

  constructor(path: string, value: unknown, allowed: string, known?: readonly string[], isNumber = false) {
    this.path = path;
    this.value = value;
    this.allowed = allowed;
    this.known = known;
    this.isNumber = isNumber;
    complaints.add(this);
  }

  in(name: string): Complaint {
    const path = this.path === "" ? name : `${name}.${this.path}`;
    return new Complaint(path, this.value, this.allowed, this.known, this.isNumber);
  }
}

export type Fields = Readonly<Record<string, Field>>;

/** A field that takes the values that `accepts` is true for, and keeps what `copy` makes of them. */
export function field(
  allowed: string,
  accepts: (value: any) => boolean,
  copy: (value: any) => unknown = (value) => value,
): Field {
  return { allowed, take: (value) => (accepts(value) ? copy(value) : new Complaint("", value, allowed)) };
}

export function required(of: Field): Field & { required: true } {
  return { ...of, required: true };
}

export function oneOf(...values: readonly string[]): Field {
  return field(values.map((value) => JSON.stringify(value)).join(", "), (value) => values.includes(value));
}

type Bounds = readonly [least: number, most: number];

function number(allowed: string, accepts: (value: number) => boolean): Field {
  const take = (value: unknown): unknown =>
    typeof value === "number" && accepts(value) ? value : new Complaint("", value, allowed, undefined, true);
  return { allowed, isNumber: true, take };
}

export function integer([least, most]: Bounds): Field {
  const isWithin = (value: number): boolean => Number.isInteger(value) && value >= least && value <= most;
  return number(`a whole number from ${least} to ${most}`, isWithin);
}

export function numberFrom(least: number, most: number, unit = "a number"): Field {
  return number(`${unit}, from ${least} to ${most}`, (value) => value >= least && value <= most);
}

export function milliseconds([least, most]: Bounds): Field {
  return numberFrom(least, most, "milliseconds");
}

/** A duration without an upper bound: its users set their timer again until it is over. */
export function duration(allowed: string, least = 0): Field {
  return number(allowed, (value) => value >= least);
}

export function megabytes([, most]: Bounds): Field {
  return number(`MiB, more than 0, at most ${most}`, (value) => value > 0 && value <= most);
}

/** Takes what `of` takes, or one of `others`. */
export function or(of: Field, ...others: readonly unknown[]): Field {
  const words = others.map((other) => (typeof other === "string" ? JSON.stringify(other) : String(other)));
  const allowed = `${of.allowed}, or ${words.join(", ")}`;
  const complain = (value: unknown): Complaint => new Complaint("", value, allowed, undefined, of.isNumber);
  const take = (value: unknown): unknown => {
    if (others.includes(value)) return value;
    const taken = of.take(value);
    return isComplaint(taken) ? complain(value) : taken;
  };
  return { ...of, allowed, take };
}

/** Takes what `of` takes. No error shows the value. */
export function secret(of: Field): Field {
  const complaint = new Complaint("", "…", of.allowed);
  return { ...of, take: (value) => (isComplaint(of.take(value)) ? complaint : value) };
}

export const text = field("a text", isText);
export const flag = field("true or false", (value) => typeof value === "boolean");
export const aNumber = number("a number", () => true);
export const anything = field("anything", () => true);
export const aFunction = field("a function", (value) => typeof value === "function");
export const texts = field(`a list of texts, at most ${MAX_LIST_LENGTH}`, isListOf(isText), (list) => [...list]);
export const aSignal = field("an AbortSignal", isSignal);
export const transferables = field(
  `a list of what is to change hands, at most ${MAX_LIST_LENGTH}`,
  isListOf(() => true),
);
export const timerMs = milliseconds(BOUNDS.timerMs);
export const periodMs = milliseconds(BOUNDS.periodMs);

/** Characters that act on a terminal, or begin another line of a log. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const LONE_SURROGATE = /\p{Cs}/u;

/** A name of at most so many characters. */
export const nameUpTo = (most: number): Field =>
  field(`a text of 1 to ${most} characters, without lone surrogates`, (value) => isName(value, most));

/** A name to register under. */
export const aName = nameUpTo(MAX_NAME_LENGTH);

/** A name that is a segment of a path. */
export const anId = field(
  `a text of 1 to ${MAX_NAME_LENGTH} characters, not "." or "..", without "/", control characters and lone surrogates`,
  (value) => isName(value) && !CONTROL.test(value) && !value.includes("/") && value !== "." && value !== "..",
);

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isName(value: unknown, most = MAX_NAME_LENGTH): value is string {
  return isText(value) && value.length > 0 && value.length <= most && !LONE_SURROGATE.test(value);
}

export function isListOf(accepts: (value: unknown) => boolean): (value: unknown) => value is unknown[] {
  return (value): value is unknown[] => {
    if (!Array.isArray(value) || value.length > MAX_LIST_LENGTH) return false;
    for (let i = 0; i < value.length; i++) if (!accepts(value[i])) return false;
    return true;
  };
}

function isSignal(value: Partial<AbortSignal> | null | undefined): boolean {
  const { aborted, addEventListener, removeEventListener } = value ?? {};
  return (
    typeof aborted === "boolean" && typeof addEventListener === "function" && typeof removeEventListener === "function"
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field with fields of its own. */
export function group(fields: Fields): Field {
  return { allowed: `{ ${Object.keys(fields).join(", ")} }`, take: (value) => takeFields(value, fields) };
}

/**
 * Returns a copy of the given object without its undefined fields, or the first complaint. Reads each field once. Never
 * throws, even if a getter or a trap does.
 */
export function takeFields(given: unknown, fields: Fields): Record<string, unknown> | Complaint {
  try {
    return take(given, fields);
  } catch (error) {
    return new Complaint("", given, `an object that can be read; reading it threw ${showValue(error)}`);
  }
}

function take(given: unknown, fields: Fields): Record<string, unknown> | Complaint {
  const known = Object.keys(fields);
  const names = isRecord(given) ? Object.keys(given) : [];
  if (!isRecord(given) || (names.length === 0 && !isPlain(given))) {
    return new Complaint("", given, `an object with ${known.join(", ")}`);
  }
  const taken: Record<string, unknown> = {};
  for (const name of names) {
    if (!Object.hasOwn(fields, name)) return new Complaint(name, given[name], known.join(", "), known);
  }
  for (const name of known) {
    const field = fields[name];
    const value = readField(given, name, field);
    if (isComplaint(value)) return value.in(name);
    if (value !== undefined) taken[name] = value;
  }
  return taken;
}

function readField(given: Record<string, unknown>, name: string, field: Field): unknown {
  let value: unknown;
  try {
    value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined && !field.required) return undefined;
    return field.take(value);
  } catch (error) {
    return new Complaint("", value, `${field.allowed}; reading it threw ${showValue(error)}`);
  }
}

/** False for an object that can only be given by mistake, as a promise: it has no fields of its own to complain of. */
export function isPlain(given: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The name of `known` that `name` is closest to, if it is close to one. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const short = name.slice(0, MAX_NAME_LENGTH);
  const [nearest] = known
    .map((known) => ({ known, edits: editDistance(short, known) }))
    .sort((a, b) => a.edits - b.edits);
  return nearest !== undefined && nearest.edits <= Math.max(2, short.length / 3) ? nearest.known : undefined;
}

/** Levenshtein distance, ignoring case. */
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

/** Checks and copies the options of the function `what`. Throws ERR_INVALID_OPTION. */
export function takeOptions<T extends object>(what: string, given: T, fields: Fields, ranges = false): T {
  const taken = takeFields(given, fields);
  if (isComplaint(taken)) throw optionError(what, taken, ranges);
  return taken as T;
}

/** Checks the argument `name` of the function `what`. Throws ERR_INVALID_OPTION. */
export function takeArgument<T>(what: string, name: string, given: T, field: Field, ranges = false): T {
  const taken = readField({ [name]: given }, name, { ...field, required: true });
  if (isComplaint(taken)) throw optionError(what, taken.in(name), ranges);
  return taken as T;
}

const delayMs = duration("a number of ms, 0 or more");
const everyMs = number("a number of ms, 1 or more", (value) => value >= 1);

/** Checks the delay of a timer. Throws ERR_INVALID_OPTION. */
export function checkDelay(what: string, ms: unknown): void {
  takeArgument(what, "delayMs", ms, delayMs, true);
}

/** Checks the period of a timer: at least 1 ms, the unit of Node's timers. Throws ERR_INVALID_OPTION. */
export function checkPeriod(what: string, ms: unknown): void {
  takeArgument(what, "periodMs", ms, everyMs, true);
}

/** `ranges`: for a number out of its bounds it is a RangeError. */
function optionError(what: string, complaint: Complaint, ranges: boolean): ActorError {
  const { path, value, allowed, isNumber } = complaint;
  const facts = { function: what, field: path, value, allowed };
  return invalidOption(`${what}: ${inWords(complaint)}`, facts, ranges && isNumber);
}

/** What is wrong with an option, an argument or a field of a spec. `whole` is what all of them together are called. */
export function inWords(
  { path, value, allowed, known }: Pick<Complaint, "path" | "value" | "allowed" | "known">,
  whole = "options",
): string {
  const name = printable(path).slice(0, MAX_SHOWN_PATH);
  if (known === undefined) return `${name === "" ? whole : name}=${showValue(value)}, must be ${allowed}`;
  const meant = nearest(path.slice(path.lastIndexOf(".") + 1), known);
  return `no option ${name}; there are: ${allowed}${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
}
