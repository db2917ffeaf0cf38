import { lengthOf, maxByteLength } from "./views.js";

type Node = unknown[];

interface SeenView {
  readonly node: Node;
  readonly view: ArrayBufferView;
  readonly name: string;
}

interface SeenBuffer {
  readonly views: SeenView[];
  /** Index of the buffer's own node, when the buffer is in the message. */
  index: number | undefined;
}

/**
 * The buffers and views of one message. A view that is alone on its buffer is sent as its own bytes, without the rest
 * of the buffer. Several views on one buffer stay views on one buffer.
 */
export class SharedBytes {
  readonly #buffers = new Map<ArrayBufferLike, SeenBuffer>();

  /** The buffer itself is in the message: it arrives whole, and its views look at it there. */
  buffer(buffer: ArrayBuffer, node: Node, index: number): void {
    node.push("b", new Uint8Array(buffer), maxByteLength(buffer) ?? null);
    this.#seen(buffer).index = index;
  }

  view(view: ArrayBufferView, name: string, node: Node): void {
    node.push("v", name, bytesOf(view));
    this.#seen(view.buffer).views.push({ node, view, name });
  }

  /** Removes the buffers and views of the nodes from index `from` on, which are no longer part of the message. */
  forget(from: number, graph: readonly unknown[]): void {
    const left = new Set(graph.slice(from));
    for (const [buffer, seen] of this.#buffers) {
      const views = seen.views.filter(({ node }) => !left.has(node));
      const index = seen.index !== undefined && seen.index >= from ? undefined : seen.index;
      if (views.length === 0 && index === undefined) this.#buffers.delete(buffer);
      else this.#buffers.set(buffer, { views, index });
    }
  }

  /** Called when all nodes are known: joins the views that look at one buffer. */
  join(graph: unknown[]): void {
    for (const [buffer, { views, index }] of this.#buffers) {
      if (views.length === 0) continue;
      if (index !== undefined) place(views, index, 0);
      else if (views.length > 1 && !mayBePool(buffer, views)) {
        const node = ["b", new Uint8Array(buffer), maxByteLength(buffer) ?? null];
        place(views, graph.push(node) - 1, 0);
      } else if (views.length > 1) {
        for (const overlapping of overlaps(views)) joinRange(overlapping, graph);
      }
    }
  }

  #seen(buffer: ArrayBufferLike): SeenBuffer {
    let seen = this.#buffers.get(buffer);
    if (seen === undefined) {
      seen = { views: [], index: undefined };
      this.#buffers.set(buffer, seen);
    }
    return seen;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Node puts small Buffers into one pool, and the bytes between them belong to other Buffers. */
function mayBePool(buffer: ArrayBufferLike, views: readonly SeenView[]): boolean {
  return buffer.byteLength === Buffer.poolSize || views.some(({ name }) => name === "Buffer");
}

function place(views: readonly SeenView[], index: number, from: number): void {
  for (const { node, view, name } of views) {
    node.length = 0;
    node.push("V", name, index, view.byteOffset - from, lengthOf(view) ?? null);
  }
}

/** Groups of views that overlap. */
function overlaps(views: readonly SeenView[]): SeenView[][] {
  const sorted = [...views].sort((one, other) => one.view.byteOffset - other.view.byteOffset);
  const groups: SeenView[][] = [];
  let end = -1;
  for (const seen of sorted) {
    const { byteOffset, byteLength } = seen.view;
    if (byteOffset < end) groups[groups.length - 1].push(seen);
    else groups.push([seen]);
    end = Math.max(end, byteOffset + byteLength);
  }
  return groups.filter((group) => group.length > 1);
}

/** Bytes of the largest element. */
const ALIGNMENT = 8;

function joinRange(views: readonly SeenView[], graph: unknown[]): void {
  const start = views[0].view.byteOffset;
  const end = Math.max(...views.map(({ view }) => view.byteOffset + view.byteLength));
  // Aligned views stay aligned. The bytes before the first view belong to none.
  const from = start - (start % ALIGNMENT);
  const bytes = new Uint8Array(end - from);
  bytes.set(new Uint8Array(views[0].view.buffer, start, end - start), start - from);
  place(views, graph.push(["b", bytes, null]) - 1, from);
}
