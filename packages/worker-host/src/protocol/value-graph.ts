import { ActorRef } from "./actor-ref.js";
import { ActorError, isActorError } from "./errors.js";
import { isShared, isWellFormed } from "./message-value.js";
import { PoolRef } from "./pool-ref.js";
import { errorShell, partsOfError } from "./remote-error.js";
import { checkTransferList } from "./transfer-list.js";
import { WireValue } from "./wire-value.js";

/*
 * A message value of any shape as a list of nodes, one for each object in it, the root's value first:
 *
 *   value  a primitive | [node index] | ["n", bigint's digits] | ["z"] (minus zero)
 *          | ["u", UTF-16 bytes] (a text that is not well-formed)
 *   node   ["o", key, value, …] object          ["a", value, …] array      ["s", length, index, value, …] sparse array
 *          ["m", key, value, …] Map             ["t", value, …] Set        ["d", ms] Date     ["r", source, flags] RegExp
 *          ["b", bytes, max] ArrayBuffer        ["v", class, bytes] view   ["R", reference]
 *          ["e", name, message, stack, key, value, …] Error
 *          ["x", i] i-th transferred object     ["w", class, i, byteOffset, length] view of the i-th transferred buffer
 *          ["p", i] i-th shared object          ["q", class, i, byteOffset, length] view of the i-th shared buffer
 *          ["h", name, value] what a transfer handler of comlink's stands in for
 *
 * So cycles and shared objects survive, and a key never touches a prototype.
 */
type Node = unknown[];
export type ValueGraph = [root: unknown, ...nodes: Node[]];

const MAX_DEPTH = 1000;
const MAX_CAUSES = 16;
const MESSAGE_PORT = "a MessagePort, which changes hands";

/**
 * Throws ERR_NOT_CLONEABLE with the `path` (`args[0].handlers.onDone`) of what no message can carry. What only structured
 * cloning can is added to `shared`.
 */
export function toGraph(
  value: unknown,
  root: string,
  transfer: readonly unknown[] = [],
  shared: unknown[] = [],
): ValueGraph {
  const graph: ValueGraph = [undefined];
  graph[0] = new Flattening(graph, transfer, shared).value(value, root, 0);
  return graph;
}

/** What a receiver would get, for this thread: later changes of `value` do not show in it. Throws as `toGraph`. */
export function copyValue(value: unknown, root: string): unknown {
  const shared: unknown[] = [];
  const graph = toGraph(value, root, [], shared);
  for (const node of graph.slice(1) as Node[]) {
    const bytesAt = node[0] === "b" ? 1 : 2;
    if (node[0] === "b" || node[0] === "v") node[bytesAt] = (node[bytesAt] as Uint8Array).slice();
  }
  return fromGraph(graph, [], shared);
}

class Flattening {
  readonly #graph: ValueGraph;
  readonly #seen = new Map<object, number>();
  readonly #transferred: Map<unknown, number>;
  readonly #shared: unknown[];
  #causes = 0;

  constructor(graph: ValueGraph, transfer: readonly unknown[], shared: unknown[]) {
    checkTransferList(transfer);
    this.#graph = graph;
    this.#shared = shared;
    this.#transferred = new Map(transfer.map((object, index) => [object, index]));
  }

  value(value: unknown, path: string, depth: number): unknown {
    switch (typeof value) {
      case "string":
        return textNode(value);
      case "bigint":
        return ["n", value.toString()];
      case "number":
        return Object.is(value, -0) ? ["z"] : value;
      case "function":
      case "symbol":
        throw notCloneable(path, `a ${typeof value}`);
      case "object":
        return value === null ? null : [this.#node(value, path, depth)];
      default:
        return value;
    }
  }

  #node(object: object, path: string, depth: number): number {
    const known = this.#seen.get(object);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) throw notCloneable(path, `nested deeper than ${MAX_DEPTH} levels`);
    const node: Node = [];
    const index = this.#graph.push(node) - 1;
    this.#seen.set(object, index);
    try {
      this.#describe(node, object, path, depth + 1);
    } catch (error) {
      // The language's own words, of a buffer that has changed hands or a Proxy that is revoked.
      if (!(error instanceof TypeError) || isActorError(error)) throw error;
      throw notCloneable(path, `a value that cannot be read: ${error.message}`);
    }
    return index;
  }

  #describe(node: Node, object: object, path: string, depth: number): void {
    const transferred = this.#transferred.get(object);
    if (transferred !== undefined) node.push("x", transferred);
    else if (object instanceof ActorRef || object instanceof PoolRef) node.push("R", object);
    else if (object instanceof WireValue) node.push("h", object.name, this.value(object.value, path, depth));
    else if (Array.isArray(object)) this.#array(node, object, path, depth);
    else if (object instanceof Map) this.#map(node, object, path, depth);
    else if (object instanceof Set) this.#set(node, object, path, depth);
    else if (object instanceof Date) node.push("d", object.getTime());
    else if (object instanceof RegExp) node.push("r", textNode(object.source), object.flags);
    else if (object instanceof ArrayBuffer) this.#buffer(node, object);
    else if (ArrayBuffer.isView(object)) this.#view(node, object);
    else if (object instanceof Error) this.#error(node, object, path, depth);
    else this.#object(node, object, path, depth);
  }

  #object(node: Node, object: object, path: string, depth: number): void {
    const obstacle = obstacleOf(object);
    if (obstacle !== undefined) {
      const copy = platformCopy(object);
      if (copy === undefined) throw notCloneable(path, obstacle);
      node.push("p", this.#share(copy));
      return;
    }
    node.push("o");
    for (const key of Object.keys(object)) {
      const item = this.value((object as Record<string, unknown>)[key], member(path, key), depth);
      node.push(textNode(key), item);
    }
  }

  #array(node: Node, items: unknown[], path: string, depth: number): void {
    const indexes = Object.keys(items);
    const dense = indexes.length === items.length;
    if (dense) node.push("a");
    else node.push("s", items.length);
    for (const key of indexes) {
      // Only elements: an array's other properties are not part of its value.
      if (!/^\d+$/.test(key)) continue;
      if (!dense) node.push(Number(key));
      node.push(this.value(items[Number(key)], `${path}[${key}]`, depth));
    }
  }

  #map(node: Node, map: Map<unknown, unknown>, path: string, depth: number): void {
    node.push("m");
    for (const [key, item] of map) {
      node.push(this.value(key, `${path}.<key>`, depth), this.value(item, `${path}.get(${printKey(key)})`, depth));
    }
  }

  #set(node: Node, set: Set<unknown>, path: string, depth: number): void {
    node.push("t");
    for (const item of set) node.push(this.value(item, `${path}.<item>`, depth));
  }

  #view(node: Node, view: ArrayBufferView): void {
    const name = view instanceof DataView ? "DataView" : viewName(view);
    const { buffer, byteOffset, byteLength } = view;
    const length = view instanceof DataView ? byteLength : (view as Uint8Array).length;
    const transferred = this.#transferred.get(buffer);
    if (transferred !== undefined) node.push("w", name, transferred, byteOffset, length);
    else if (isShared(buffer)) node.push("q", name, this.#share(buffer), byteOffset, length);
    else node.push("v", name, new Uint8Array(buffer, byteOffset, byteLength));
  }

  #buffer(node: Node, buffer: ArrayBuffer & { readonly resizable?: boolean; readonly maxByteLength?: number }): void {
    node.push("b", new Uint8Array(buffer));
    if (buffer.resizable) node.push(buffer.maxByteLength);
  }

  #share(object: object): number {
    const known = this.#shared.indexOf(object);
    return known === -1 ? this.#shared.push(object) - 1 : known;
  }

  /** An error is taken as far as it can be: what its traps or its uncloneable properties hold back is left out. */
  #error(node: Node, error: Error, path: string, depth: number): void {
    const { name, message, stack, own } = partsOfError(error);
    node.push("e", textNode(name), textNode(message), stack === undefined ? stack : textNode(stack));
    for (const [key, item] of own) {
      if (item instanceof Error && ++this.#causes > MAX_CAUSES) continue;
      const nodes = this.#graph.length;
      try {
        node.push(textNode(key), this.value(item, member(path, key), depth));
      } catch {
        this.#forget(nodes);
      }
    }
  }

  /** Takes nodes back that belong to a value that turned out not to be one. */
  #forget(from: number): void {
    this.#graph.length = from;
    for (const [object, index] of this.#seen) if (index >= from) this.#seen.delete(object);
  }
}

/** The value again. Throws TypeError for a graph that `toGraph` cannot have made. */
export function fromGraph(
  graph: unknown,
  transferred: readonly unknown[] = [],
  shared: readonly unknown[] = [],
): unknown {
  if (!Array.isArray(graph) || graph.length === 0) throw new TypeError("malformed message: not a value graph");
  // All objects first, then what is in them: any of them may hold any other.
  const objects: unknown[] = [undefined];
  for (let i = 1; i < graph.length; i++) objects.push(shellOf(graph[i] as Node, transferred, shared));
  const value = (encoded: unknown): unknown => {
    if (!Array.isArray(encoded)) return encoded;
    if (encoded[0] === "n") return BigInt(encoded[1] as string);
    if (encoded[0] === "z") return -0;
    if (encoded[0] === "u") return textOf(encoded);
    const index = encoded[0] as number;
    if (!Number.isInteger(index) || index < 1 || index >= objects.length)
      throw new TypeError(`malformed message: no node ${String(index)}`);
    return objects[index];
  };
  for (let i = 1; i < graph.length; i++) fill(objects[i], graph[i] as Node, value);
  return value(graph[0]);
}

function shellOf(node: Node, transferred: readonly unknown[], shared: readonly unknown[]): unknown {
  switch (node[0]) {
    case "o":
      return {};
    case "a":
      return [];
    case "s":
      return new Array(node[1] as number);
    case "m":
      return new Map();
    case "t":
      return new Set();
    case "d":
      return new Date(node[1] as number);
    case "r":
      return new RegExp(textOf(node[1]), node[2] as string);
    case "b":
      return ownBuffer(node[1] as Uint8Array, node[2] as number | undefined);
    case "v":
      return viewOf(node[1] as string, ownBuffer(node[2] as Uint8Array));
    case "R":
      return node[1];
    case "e":
      return errorShell(textOf(node[1]), textOf(node[2]), node[3] === undefined ? undefined : textOf(node[3]));
    case "h":
      return new WireValue(node[1] as string, undefined);
    case "x":
      return transferred[node[1] as number];
    case "p":
      return shared[node[1] as number];
    case "w":
    case "q": {
      const buffers = node[0] === "w" ? transferred : shared;
      return viewOf(node[1] as string, buffers[node[2] as number] as ArrayBuffer, node[3] as number, node[4] as number);
    }
    default:
      throw new TypeError(`malformed message: no such kind of node: ${String(node[0])}`);
  }
}

function fill(object: unknown, node: Node, value: (encoded: unknown) => unknown): void {
  switch (node[0]) {
    case "o":
      for (let i = 1; i < node.length; i += 2) define(object as object, textOf(node[i]), value(node[i + 1]));
      break;
    case "e":
      for (let i = 4; i < node.length; i += 2) defineOnError(object as Error, textOf(node[i]), value(node[i + 1]));
      break;
    case "h":
      (object as WireValue).value = value(node[2]);
      break;
    case "a":
      for (let i = 1; i < node.length; i++) (object as unknown[]).push(value(node[i]));
      break;
    case "s":
      for (let i = 2; i < node.length; i += 2) (object as unknown[])[node[i] as number] = value(node[i + 1]);
      break;
    case "m":
      for (let i = 1; i < node.length; i += 2)
        (object as Map<unknown, unknown>).set(value(node[i]), value(node[i + 1]));
      break;
    case "t":
      for (let i = 1; i < node.length; i++) (object as Set<unknown>).add(value(node[i]));
      break;
    default:
      break;
  }
}

/** UTF-8 has no halves of surrogate pairs: a text with one goes by its code units. */
function textNode(text: string): unknown {
  return isWellFormed(text) ? text : ["u", new Uint8Array(Buffer.from(text, "utf16le"))];
}

function textOf(node: unknown): string {
  return typeof node === "string" ? node : Buffer.from((node as [string, Uint8Array])[1]).toString("utf16le");
}

/** Defined, not assigned: the key may be `__proto__`. */
function define(object: object, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else (object as Record<string, unknown>)[key] = value;
}

function defineOnError(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, {
    value,
    enumerable: key !== "cause" && key !== "errors",
    configurable: true,
    writable: true,
  });
}

const VIEWS = new Map<string, new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView>(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
    // Node 24 and later.
    (globalThis as { Float16Array?: typeof Float32Array }).Float16Array ?? [],
  ]
    .flat()
    .map((View) => [View.name, View]),
);

/** A Buffer arrives as the Uint8Array it is. */
function viewName(view: ArrayBufferView): string {
  const name = Object.prototype.toString.call(view).slice(8, -1);
  return VIEWS.has(name) ? name : "Uint8Array";
}

function viewOf(name: string, buffer: ArrayBuffer, offset = 0, length?: number): ArrayBufferView {
  const View = VIEWS.get(name);
  if (View === undefined) throw new TypeError(`malformed message: no such view: ${name}`);
  return new View(buffer, offset, length);
}

function ownBuffer(bytes: Uint8Array, maxByteLength?: number): ArrayBuffer {
  if (maxByteLength !== undefined) {
    const buffer = new (ArrayBuffer as ResizableBuffer)(bytes.byteLength, { maxByteLength });
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }
  return bytes.buffer.byteLength === bytes.byteLength ? (bytes.buffer as ArrayBuffer) : bytes.slice().buffer;
}

/** TypeScript's types for Node 20 do not know it. */
type ResizableBuffer = new (byteLength: number, options: { maxByteLength: number }) => ArrayBuffer;

/** A copy of what structured cloning keeps as what it is: shared memory, a Blob, a key, a compiled module. */
function platformCopy(object: object): object | undefined {
  if (isShared(object)) return object;
  try {
    const copy = structuredClone(object);
    return Object.prototype.isPrototypeOf.call(Object.getPrototypeOf(object) as object, copy) ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** Why an object is more than data, or undefined. */
function obstacleOf(object: object): string | undefined {
  const prototype = Object.getPrototypeOf(object) as object | null;
  if (prototype === null || prototype === Object.prototype) return undefined;
  for (
    let level: object | null = prototype;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    if (Reflect.ownKeys(level).some((key) => key !== "constructor")) {
      const name = nameOf(object);
      return name === "MessagePort" ? MESSAGE_PORT : `an instance of ${name}, which has methods`;
    }
  }
  return undefined;
}

function nameOf(object: object): string {
  const name = (object as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === "string" && name !== "" ? name : "a class";
}

function notCloneable(path: string, what: string): ActorError {
  const shown = path.length <= 200 ? path : `${path.slice(0, 200)}…`;
  const advice = what === MESSAGE_PORT ? "list it in with({ transfer })" : "a message carries data only";
  return new ActorError("ERR_NOT_CLONEABLE", `${shown} is ${what}; ${advice}`, { path });
}

function member(path: string, key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function printKey(key: unknown): string {
  return typeof key === "object" || typeof key === "function" ? "…" : String(key);
}
