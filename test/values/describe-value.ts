import { types } from "node:util";

const OBJECTS = new Set(["Object", "Array", "Map", "Set", "Date", "RegExp", "ArrayBuffer", "SharedArrayBuffer"]);

export interface Compared {
  /** Which objects are one object. */
  readonly identity: boolean;
}

/**
 * All of a value that structured cloning carries, as text. What docs/messages.md says is different here is left out: of
 * a view its place in its buffer, of an error what structured cloning drops; a Buffer counts as the Uint8Array it is.
 */
export function describeValue(value: unknown, { identity }: Compared): string {
  const seen = new Map<object, number>();
  const lines: string[] = [];
  const property = (key: string, item: unknown): string => `${JSON.stringify(key)}: ${nameOf(item)}`;
  const nameOf = (item: unknown): string => {
    if (typeof item === "string") return JSON.stringify(item);
    if (typeof item === "bigint") return `${item}n`;
    if (typeof item !== "object" || item === null) return Object.is(item, -0) ? "-0" : String(item);
    const known = seen.get(item);
    if (known !== undefined && identity) return `#${known}`;
    if (known !== undefined && lines.length > 10_000) throw new Error("too large");
    const number = seen.size;
    seen.set(item, number);
    const text = textOf(item);
    return identity ? `#${number} ${text}` : text;
  };
  const members = (object: object): string =>
    Object.keys(object)
      .map((key) => property(key, (object as Record<string, unknown>)[key]))
      .join(", ");
  const bytes = (view: ArrayBufferView): string =>
    Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).toString("hex");
  const textOf = (object: object): string => {
    if (Array.isArray(object)) return `[${object.length}: ${members(object)}]`;
    if (types.isMap(object)) return `Map{${[...object].map(([k, v]) => `${nameOf(k)} => ${nameOf(v)}`).join(", ")}}`;
    if (types.isSet(object)) return `Set{${[...object].map(nameOf).join(", ")}}`;
    if (types.isDate(object)) return `Date ${object.getTime()}`;
    if (types.isRegExp(object)) return `RegExp ${JSON.stringify(object.source)} ${object.flags} ${object.lastIndex}`;
    if (types.isBoxedPrimitive(object)) return `Boxed ${typeof object.valueOf()} ${String(object.valueOf())}`;
    if (types.isSharedArrayBuffer(object)) return `SharedArrayBuffer ${object.byteLength}`;
    if (types.isArrayBuffer(object)) return `ArrayBuffer ${resizing(object)} ${bytes(new Uint8Array(object))}`;
    if (ArrayBuffer.isView(object)) {
      const kind = Object.prototype.toString.call(object).slice(8, -1);
      return `${kind} ${bytes(object)}`;
    }
    if (types.isNativeError(object)) {
      const cause = Object.hasOwn(object, "cause") ? ` because of ${nameOf((object as Error).cause)}` : "";
      return `Error ${object.name} ${JSON.stringify(object.message)} ${JSON.stringify(object.stack)}${cause}`;
    }
    const prototype = Object.getPrototypeOf(object) as object | null;
    const name = prototype === Object.prototype ? "" : `${prototype?.constructor?.name ?? "null"} `;
    return `${OBJECTS.has(name.trim()) ? "" : name}{${members(object)}}`;
  };
  lines.push(nameOf(value));
  return lines.join("\n");
}

function resizing(buffer: ArrayBufferLike): string {
  const { resizable = false, maxByteLength } = buffer as { resizable?: boolean; maxByteLength?: number };
  return resizable ? `up to ${maxByteLength}` : "fixed";
}
