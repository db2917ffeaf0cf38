import { byId, el, setAttribute, setText } from "./dom.js";
import type { NodeRow, Row, TreePart } from "./wire.js";

const ASK_EVERY_MS = 2000;

/** What the tree shows of another node. */
export interface OtherTree {
  readonly rows: readonly Row[];
  readonly now: number;
  row(id: string): Row | undefined;
}

/** The menu of a cluster's nodes in front of the tree, and the tree of the one that is chosen. */
export class NodeMenu {
  readonly #menu = byId<HTMLSelectElement>("node-menu");
  readonly #status = byId("node-status");
  readonly #changed: (tree: OtherTree | undefined) => void;
  #known = "";
  #asking = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `changed` gets the tree to show; undefined for this node's, which comes by itself. */
  constructor(changed: (tree: OtherTree | undefined) => void) {
    this.#changed = changed;
    this.#menu.addEventListener("change", () => {
      this.#show("");
      this.#changed(this.#chosen === "" ? undefined : treeOf([], Date.now()));
      void this.#ask();
    });
  }

  /** There is a cluster: from now on its nodes are asked for. */
  start(): void {
    this.#timer ??= setInterval(() => void this.#ask(), ASK_EVERY_MS);
    void this.#ask();
  }

  /** Empty for this node. */
  get #chosen(): string {
    return this.#menu.value;
  }

  async #ask(): Promise<void> {
    if (this.#asking || document.hidden) return;
    this.#asking = true;
    try {
      const nodes = (await json("api/nodes")) as readonly NodeRow[];
      this.#list(nodes);
      await this.#askTree(this.#chosen, nodes);
    } catch (error) {
      this.#show(error instanceof Error ? error.message : String(error));
    } finally {
      this.#asking = false;
    }
  }

  async #askTree(node: string, nodes: readonly NodeRow[]): Promise<void> {
    if (node === "") return;
    if (nodes.find((one) => one.node === node)?.state === "gone") {
      this.#changed(treeOf([], Date.now()));
      this.#show(`${node} is gone`);
      return;
    }
    const rows = new Map<string, Row>();
    for (let from = 0, total = 1; from < total; ) {
      const part = (await json(`api/nodes/tree?node=${encodeURIComponent(node)}&from=${from}`)) as TreePart;
      for (const row of part.rows) rows.set(row.id, row);
      total = part.total;
      from += part.rows.length;
      if (part.rows.length === 0 || this.#chosen !== node) break;
      this.#changed(treeOf([...rows.values()], part.now));
    }
    if (this.#chosen === node) this.#show("");
  }

  #list(nodes: readonly NodeRow[]): void {
    this.#menu.hidden = false;
    const shown = JSON.stringify(nodes.map(({ node, state }) => [node, state]));
    if (shown === this.#known) return;
    this.#known = shown;
    const chosen = this.#chosen;
    const options = nodes.map(({ node, state, isSelf }) => {
      const text = isSelf ? `${node} (this node)` : state === "up" ? node : `${node} (${state})`;
      return el("option", { value: isSelf ? "" : node }, text);
    });
    // One that is chosen stays, until another is.
    if (chosen !== "" && !nodes.some(({ node }) => node === chosen)) {
      options.push(el("option", { value: chosen }, `${chosen} (gone)`));
    }
    this.#menu.replaceChildren(...options);
    this.#menu.value = chosen;
  }

  #show(text: string): void {
    setText(this.#status, text);
    setAttribute(this.#status, "data-tone", text === "" ? undefined : "bad");
  }
}

function treeOf(rows: readonly Row[], now: number): OtherTree {
  const byRow = new Map(rows.map((row) => [row.id, row]));
  return { rows, now, row: (id) => byRow.get(id) };
}

async function json(path: string): Promise<unknown> {
  const response = await fetch(path);
  const value = (await response.json()) as { readonly message?: string };
  if (!response.ok) throw new Error(value.message ?? `${response.status}`);
  return value;
}
