import type { TreeNode } from "@mini-otp/runtime";
import type { NodeRow, Row, TreePart } from "../ui/wire.js";
import { type Counters, countersOf, ratesOf, rowOf } from "./rows.js";
import { cut } from "./text.js";

/** What the nodes of a cluster and their trees are read from: `cluster.observed`. */
export interface NodesSource {
  /** All that there are and, as `gone`, those that were lately. */
  list(): readonly NodeRow[];
  /** Lines of a node's tree from the line `from` on, as they were at `atMs`, and how many there are in all. */
  page(
    node: string,
    from: number,
  ): Promise<{
    readonly total: number;
    readonly atMs: number;
    readonly rows: readonly (Omit<TreeNode, "children"> & { readonly depth: number })[];
  }>;
}

/** What was seen of a node's actors last, from which rates come. */
interface Seen {
  readonly actors: Map<string, { readonly counters: Counters; readonly row: Row }>;
  at: number;
}

/** A node that is not asked about for so long is forgotten. */
const KEPT_MS = 10_000;
const NO_RATES = { handledPerSecond: 0, cpuPercent: undefined };

/** The trees of a cluster's nodes, asked for only while somebody looks. */
export class Nodes {
  readonly #source: NodesSource;
  readonly #seen = new Map<string, Seen>();
  /** Questions that are under way: of several viewers one is asked. */
  readonly #asked = new Map<string, Promise<TreePart>>();

  constructor(source: NodesSource) {
    this.#source = source;
  }

  list(): NodeRow[] {
    return this.#source.list().map(({ node, state, isSelf, version, rttMs, mainLagMs }) => ({
      node,
      state,
      isSelf,
      version: cut(version, 100),
      ...(rttMs === undefined ? {} : { rttMs }),
      mainLagMs,
    }));
  }

  /** Rejects as the node does; undefined for one that is not in the list. */
  async part(node: string, from: number): Promise<TreePart | undefined> {
    if (!this.#source.list().some((one) => one.node === node)) return undefined;
    const key = `${node}/${from}`;
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const asking = this.#ask(node, from).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asking);
    return asking;
  }

  async #ask(node: string, from: number): Promise<TreePart> {
    const { total, atMs, rows } = await this.#source.page(node, from);
    const at = performance.now();
    const now = Date.now();
    for (const [other, { at: seenAt }] of this.#seen) if (at - seenAt > KEPT_MS) this.#seen.delete(other);
    const seen = this.#seen.get(node) ?? { actors: new Map(), at };
    this.#seen.set(node, seen);
    seen.at = at;
    // Those that are gone stay until they are as many as those that are there.
    if (seen.actors.size > 2 * total + rows.length) seen.actors.clear();
    return { node, now, total, from, rows: rows.map((row) => this.#rowOf(seen, row, atMs, now)) };
  }

  #rowOf({ actors }: Seen, { depth, ...node }: { depth: number } & TreeNode, at: number, now: number): Row {
    const { id, stats } = node;
    const before = actors.get(id);
    // The node has not looked again.
    if (before?.counters.at === at) return before.row;
    const counters = stats === undefined ? undefined : countersOf(stats, at);
    const rates = counters === undefined ? NO_RATES : ratesOf(before?.counters, counters);
    const name = depth === 0 ? id : id.slice(id.lastIndexOf("/") + 1);
    const row = rowOf({ node, name, depth }, rates, now, before?.row, undefined);
    if (counters !== undefined) actors.set(id, { counters, row });
    return row;
  }
}
