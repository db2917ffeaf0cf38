import { types } from "node:util";
import { isError } from "../errors/realms.js";
import { partsOfError } from "../errors/remote-error.js";
import { ActorRef } from "../refs/actor-ref.js";
import { PoolRef } from "../refs/pool-ref.js";
import { checkTransferList } from "../refs/transfer-list.js";
import { WireValue } from "../refs/wire-value.js";
import { hasOnlyElements, indexOf } from "./array-keys.js";
import { fromGraph } from "./graph-reader.js";
import { isWellFormed } from "./message-value.js";
import { notCloneable, Obstacle, obstacleOf, platformCopy } from "./obstacle.js";
import type { Reads } from "./reads.js";
import { SharedBytes } from "./shared-bytes.js";
import { AtKey, Place, pathOf, type Step } from "./value-path.js";
import { lengthOf, lostBytes, viewName } from "./views.js";

/*
 * A message value of any shape as a list of nodes, one for each object in it, the root's value first:
 *
 *   value  a primitive | [node index] | ["n", bigint's digits] | ["z"] (minus zero)
 *          | ["u", UTF-16 bytes] (a text that is not well-formed)
 *   node   ["o", key, value, …] object          ["a", value, …] array      ["s", length, index or key, value, …] array
 *          ["m", key, value, …] Map             ["t", value, …] Set        ["d", ms] Date     ["r", source, flags] RegExp
 *          ["b", bytes, max] ArrayBuffer        ["v", class, bytes] view alone on its buffer  ["R", reference]
 *          ["V", class, node index, byteOffset, length] view of the buffer that is this node; no length: it grows with it
 *          ["e", brand, name, message, stack, key, value, …] Error
 *          ["x", i] i-th transferred object     ["w", class, i, byteOffset, length] view of the i-th transferred buffer
 *          ["p", i] i-th shared object          ["q", class, i, byteOffset, length] view of the i-th shared buffer
 *          ["h", name, value] value of the transfer handler of comlink's with this name
 *
 * So cycles and repeated objects survive, and a key never touches a prototype.
 */
type Node = unknown[];
type ValueGraph = [root: unknown, ...nodes: Node[]];

const MAX_DEPTH = 1000;
/** Errors inside errors, for one message. A bound for an error whose getters make ever new ones. */
const MAX_ERRORS = 1000;
const KEY = new Place(".<key>");
const ITEM = new Place(".<item>");

/**
 * Throws ERR_NOT_CLONEABLE with the `path` (`args[0].handlers.onDone`) of a value that no message can carry. Adds
 * objects to `shared` that only structured cloning can carry. `reads` are properties that have been read already.
 * A value that `leaves` the process has no such object.
 */
export function toGraph(
  value: unknown,
  root: string,
  transfer: readonly unknown[] = [],
  shared: unknown[] = [],
  reads?: Reads,
  leaves = false,
): ValueGraph {
  checkTransferList(transfer);
  const graph: ValueGraph = [undefined];
  const flattening = new Flattening(graph, transfer, shared, reads, leaves);
  try {
    graph[0] = flattening.value(value, 0);
    flattening.finish();
  } catch (error) {
    throw notCloneable(pathOf(root, flattening.trail), error);
  }
  return graph;
}

/** A copy as a receiver would get it, which later changes of `value` do not affect. Throws as `toGraph`. */
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
  /** The path to the value being described. After a throw it leads to the value at fault. */
  readonly trail: Step[] = [];
  readonly #graph: ValueGraph;
  readonly #seen = new Map<object, number>();
  readonly #transferred: Map<unknown, number>;
  readonly #shared: unknown[];
  readonly #reads: Reads | undefined;
  readonly #leaves: boolean;
  readonly #bytes = new SharedBytes();
  #errors = 0;

  constructor(
    graph: ValueGraph,
    transfer: readonly unknown[],
    shared: unknown[],
    reads: Reads | undefined,
    leaves: boolean,
  ) {
    this.#leaves = leaves;
    this.#graph = graph;
    this.#shared = shared;
    this.#transferred = new Map(transfer.map((object, index) => [object, index]));
    this.#reads = reads;
  }

  finish(): void {
    this.#bytes.join(this.#graph);
  }

  value(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "string":
        return textNode(value);
      case "bigint":
        return ["n", value.toString()];
      case "number":
        return Object.is(value, -0) ? ["z"] : value;
      case "function":
      case "symbol":
        throw new Obstacle(`a ${typeof value}`);
      case "object":
        return value === null ? null : [this.#node(value, depth)];
      default:
        return value;
    }
  }

  #node(object: object, depth: number): number {
    const known = this.#seen.get(object);
    if (known !== undefined) {
      if (this.#reads?.replaying) this.#reads.skip(object);
      return known;
    }
    if (depth > MAX_DEPTH) throw new Obstacle(`nested deeper than ${MAX_DEPTH} levels`);
    const node: Node = [];
    const index = this.#graph.push(node) - 1;
    this.#seen.set(object, index);
    this.#describe(node, object, index, depth + 1);
    return index;
  }

  #describe(node: Node, object: object, index: number, depth: number): void {
    const transferred = this.#transferred.size === 0 ? undefined : this.#transferred.get(object);
    if (this.#leaves) this.#checkLeaves(object);
    if (transferred !== undefined) node.push("x", transferred);
    else if (Array.isArray(object)) this.#array(node, object, depth);
    else if (Object.getPrototypeOf(object) === Object.prototype) this.#object(node, object, depth);
    else if (object instanceof ActorRef || object instanceof PoolRef) node.push("R", object);
    else if (object instanceof WireValue) node.push("h", object.name, this.value(object.value, depth));
    else if (types.isMap(object)) this.#map(node, object, depth);
    else if (types.isSet(object)) this.#set(node, object, depth);
    else if (types.isDate(object)) node.push("d", Date.prototype.getTime.call(object));
    else if (types.isRegExp(object)) node.push("r", textNode(object.source), object.flags);
    else if (types.isArrayBuffer(object)) this.#buffer(node, object, index);
    else if (ArrayBuffer.isView(object)) this.#view(node, object);
    else if (isError(object)) this.#error(node, object, depth);
    else this.#instance(node, object, depth);
  }

  #checkLeaves(object: object): void {
    if (object instanceof PoolRef) throw new Obstacle("a reference to a pool, which stays in its process");
    if (object instanceof MessagePort) throw new Obstacle("a MessagePort, which stays in its process");
  }

  #instance(node: Node, object: object, depth: number): void {
    const obstacle = obstacleOf(object);
    if (obstacle === undefined) {
      this.#object(node, object, depth);
      return;
    }
    const copy = platformCopy(object);
    if (copy === undefined) throw new Obstacle(obstacle);
    node.push("p", this.#share(copy));
  }

  #object(node: Node, object: object, depth: number): void {
    const { trail } = this;
    node.push("o");
    const keys = Object.keys(object);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      trail.push(key);
      node.push(textNode(key), this.value(this.#read(object, key, i), depth));
      trail.pop();
    }
  }

  #array(node: Node, items: unknown[], depth: number): void {
    if (!hasOnlyElements(items)) {
      node.push("s", items.length);
      this.#elements(node, items, Object.keys(items), depth);
      return;
    }
    const { trail } = this;
    node.push("a");
    for (let i = 0; i < items.length; i++) {
      trail.push(i);
      const item = this.#read(items, i, i);
      if (item === undefined && !(i in items)) {
        trail.pop();
        // The holes of a long array show only now.
        const before = node.splice(0);
        node.push("s", items.length);
        for (let j = 0; j < i; j++) node.push(j, before[j + 1]);
        this.#elements(node, items, Object.keys(items).slice(i), depth);
        return;
      }
      node.push(this.value(item, depth));
      trail.pop();
    }
  }

  #elements(node: Node, items: unknown[], keys: readonly string[], depth: number): void {
    for (const key of keys) {
      const index = indexOf(key);
      this.trail.push(index ?? key);
      node.push(index ?? textNode(key), this.value(this.#read(items, key, index ?? Infinity), depth));
      this.trail.pop();
    }
  }

  #map(node: Node, map: Map<unknown, unknown>, depth: number): void {
    const { trail } = this;
    node.push("m");
    for (const [key, item] of Map.prototype.entries.call(map) as IterableIterator<[unknown, unknown]>) {
      trail.push(KEY);
      node.push(this.value(key, depth));
      trail.pop();
      trail.push(new AtKey(key));
      node.push(this.value(item, depth));
      trail.pop();
    }
  }

  #set(node: Node, set: Set<unknown>, depth: number): void {
    node.push("t");
    this.trail.push(ITEM);
    for (const item of Set.prototype.values.call(set) as IterableIterator<unknown>) node.push(this.value(item, depth));
    this.trail.pop();
  }

  #view(node: Node, view: ArrayBufferView): void {
    const name = viewName(view);
    const { buffer } = view;
    const transferred = this.#transferred.get(buffer);
    const lost = lostBytes(view);
    if (lost !== undefined) throw new Obstacle(lost);
    if (transferred !== undefined) node.push("w", name, transferred, view.byteOffset, lengthOf(view) ?? null);
    else if (!types.isSharedArrayBuffer(buffer)) this.#bytes.view(view, name, node);
    // Only the platform can say whether the view grows with its buffer.
    else if ((buffer as { growable?: boolean }).growable && name !== "Buffer") node.push("p", this.#share(view));
    else node.push("q", name, this.#share(buffer), view.byteOffset, lengthOf(view));
  }

  #buffer(node: Node, buffer: ArrayBuffer, index: number): void {
    const lost = lostBytes(buffer);
    if (lost !== undefined) throw new Obstacle(lost);
    this.#bytes.buffer(buffer, node, index);
  }

  #share(object: object): number {
    if (this.#leaves) throw new Obstacle("memory or an object of the platform, which stays in its process");
    const known = this.#shared.indexOf(object);
    return known === -1 ? this.#shared.push(object) - 1 : known;
  }

  /** Takes what it can of an error: properties that throw or cannot be carried are left out. */
  #error(node: Node, error: Error, depth: number): void {
    const { trail } = this;
    const { brand, name, message, stack, own } = partsOfError(error);
    node.push("e", brand, textNode(name), textNode(message), stack === undefined ? null : textNode(stack));
    for (const [key, item] of own) {
      if (typeof item === "object" && item !== null && isError(item) && ++this.#errors > MAX_ERRORS) continue;
      const nodes = this.#graph.length;
      const steps = trail.length;
      try {
        trail.push(key);
        node.push(textNode(key), this.value(item, depth));
        trail.pop();
      } catch {
        trail.length = steps;
        this.#forget(nodes);
      }
    }
  }

  /** Removes the nodes of a value that cannot be carried after all. */
  #forget(from: number): void {
    this.#bytes.forget(from, this.#graph);
    this.#graph.length = from;
    for (const [object, index] of this.#seen) if (index >= from) this.#seen.delete(object);
  }

  #read(object: object, key: string | number, index: number): unknown {
    if (this.#reads !== undefined) return this.#reads.read(object, key, index);
    return (object as Record<string | number, unknown>)[key];
  }
}

/** UTF-8 cannot encode half of a surrogate pair, so a text with one is sent as UTF-16. */
function textNode(text: string): unknown {
  return isWellFormed(text) ? text : ["u", new Uint8Array(Buffer.from(text, "utf16le"))];
}
