import { type ErrorBrand, errorShell } from "../errors/remote-error.js";
import { WireValue } from "../refs/wire-value.js";
import { ownBuffer, viewOf } from "./views.js";

type Node = unknown[];

/** What a peer of another process may say that bytes are to grow to. */
const MOST_FOREIGN_BYTES = 1024 ** 3;

/**
 * The value of a graph. Throws TypeError for a graph that `toGraph` cannot have made. `isForeign`: it comes from another process,
 * which may be hostile.
 */
export function fromGraph(
  graph: unknown,
  transferred: readonly unknown[] = [],
  shared: readonly unknown[] = [],
  isForeign = false,
): unknown {
  if (!Array.isArray(graph) || graph.length === 0) throw new TypeError("malformed message: not a value graph");
  // First all objects, then their content, because any of them may hold any other.
  const objects: unknown[] = [undefined];
  const views: number[] = [];
  for (let i = 1; i < graph.length; i++) {
    const node = graph[i] as Node;
    if (isForeign) checkForeign(node);
    if (node[0] === "V") views.push(i);
    objects.push(node[0] === "V" ? undefined : shellOf(node, transferred, shared));
  }
  for (const i of views) {
    const [, name, buffer, offset, length] = graph[i] as [string, string, number, number, number | null];
    objects[i] = viewOf(name, objects[buffer] as ArrayBuffer, offset, length ?? undefined);
  }
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
      return sparse(node[1] as number, node.length);
    case "m":
      return new Map();
    case "t":
      return new Set();
    case "d":
      return new Date(node[1] as number);
    case "r":
      return new RegExp(textOf(node[1]), node[2] as string);
    case "b":
      return ownBuffer(node[1] as Uint8Array, (node[2] as number | null) ?? undefined);
    case "v":
      return viewOf(node[1] as string, ownBuffer(node[2] as Uint8Array));
    case "R":
      return node[1];
    case "e":
      return errorShell(
        node[1] as ErrorBrand,
        textOf(node[2]),
        textOf(node[3]),
        node[4] === null ? undefined : textOf(node[4]),
      );
    case "h":
      return new WireValue(node[1] as string, undefined);
    case "x":
      return transferred[node[1] as number];
    case "p":
      return shared[node[1] as number];
    case "w":
    case "q": {
      const buffers = node[0] === "w" ? transferred : shared;
      const length = (node[4] as number | null) ?? undefined;
      return viewOf(node[1] as string, buffers[node[2] as number] as ArrayBuffer, node[3] as number, length);
    }
    default:
      throw new TypeError(`malformed message: no such kind of node: ${String(node[0])}`);
  }
}

/** An array with holes: memory is taken for what is in it, not for its length. */
function sparse(length: number, parts: number): unknown[] {
  // Also for what is no length, which throws.
  if (!(length > 1024 + 4 * parts && length < 2 ** 32)) return new Array(length);
  const array: unknown[] = [];
  // V8 gives an array memory for its length, unless it is set by an element that is far off.
  array[length - 1] = undefined;
  delete array[length - 1];
  return array;
}

function checkForeign([kind, name, max]: Node): void {
  const isProxy = kind === "h" && name === "proxy";
  const isTooLarge = kind === "b" && typeof max === "number" && max > MOST_FOREIGN_BYTES;
  if (isProxy || isTooLarge) throw new TypeError("malformed message: no other process sends that");
}

function fill(object: unknown, node: Node, value: (encoded: unknown) => unknown): void {
  switch (node[0]) {
    case "o":
      for (let i = 1; i < node.length; i += 2) define(object as object, textOf(node[i]), value(node[i + 1]));
      break;
    case "e":
      for (let i = 5; i < node.length; i += 2) defineOnError(object as Error, textOf(node[i]), value(node[i + 1]));
      break;
    case "h":
      (object as WireValue).value = value(node[2]);
      break;
    case "a":
      for (let i = 1; i < node.length; i++) (object as unknown[]).push(value(node[i]));
      break;
    case "s":
      for (let i = 2; i < node.length; i += 2) {
        const key = node[i];
        if (typeof key === "number") (object as unknown[])[key] = value(node[i + 1]);
        else define(object as object, textOf(key), value(node[i + 1]));
      }
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

/** Defines `__proto__`, because assigning it would set the prototype. */
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

function textOf(node: unknown): string {
  return typeof node === "string" ? node : Buffer.from((node as [string, Uint8Array])[1]).toString("utf16le");
}
