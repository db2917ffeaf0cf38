import type { ActorRef, ActorStats, TreeNode } from "@mini-otp/runtime";
import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import { noConnection } from "@mini-otp/worker-host/protocol/refs";

/** A node in the list of an observer. */
export interface ObservedNode {
  readonly node: string;
  /** `gone`: it was connected, and is not any more. */
  readonly state: "up" | "suspect" | "leaving" | "gone";
  readonly isSelf: boolean;
  readonly version: string;
  readonly rttMs: number | undefined;
  readonly mainLagMs: number;
}

/** A line of a tree: a node of `system.tree()`, in the place of whose children stands how deep it is. */
export interface ObservedRow extends Omit<TreeNode, "children"> {
  readonly depth: number;
}

/** A part of a node's tree, from top to bottom. */
export interface ObservedPage {
  /** Lines of the whole tree. */
  readonly total: number;
  /** When the node looked, by its own clock: only for the time between two looks. */
  readonly atMs: number;
  readonly rows: readonly ObservedRow[];
}

/** For `startObserver(system, { nodes: cluster.observed })`: the nodes of the cluster, and their trees. Main only. */
export interface ObservedNodes {
  /** This node, those that are connected, and those that were lately. */
  list(): readonly ObservedNode[];
  /**
   * Up to 256 lines of a node's tree, from the line `from` on; the node looks at its tree once a second at most. Rejects with
   * ERR_NO_CONNECTION, ERR_NOT_ALLOWED (that node's `allow.observe` does not name this one) and ERR_CALL_TIMEOUT (2 s).
   */
  page(node: string, from: number): Promise<ObservedPage>;
}

export interface ObservedHost {
  readonly node: string;
  readonly allowObserve: readonly string[];
  readonly version: string;
  tree(): TreeNode;
  nodes(): readonly Omit<ObservedNode, "isSelf">[];
  nodesGone(): readonly string[];
  nodeRef(node: string): ActorRef | undefined;
}

export const OBSERVE = "observe";
const PAGE_ROWS = 256;
const LOOK_EVERY_MS = 1000;
const TIMEOUT_MS = 2000;
const MOST_ROWS = 1_000_000;
const MOST_TEXT = 1000;

/** What this node shows of itself, and what others show of themselves. */
export class Observed implements ObservedNodes {
  readonly #host: ObservedHost;
  #rows: readonly ObservedRow[] = [];
  #lookedAt = -Infinity;

  constructor(host: ObservedHost) {
    this.#host = host;
  }

  list(): readonly ObservedNode[] {
    const { node, version } = this.#host;
    const gone = { state: "gone", isSelf: false, version: "", rttMs: undefined, mainLagMs: 0 } as const;
    return [
      { node, state: "up" as const, isSelf: true, version, rttMs: undefined, mainLagMs: 0 },
      ...this.#host.nodes().map(({ node: other, state, version: its, rttMs, mainLagMs }) => {
        return { node: other, state, isSelf: false, version: its, rttMs, mainLagMs };
      }),
      ...this.#host.nodesGone().map((other) => ({ ...gone, node: other })),
    ];
  }

  async page(node: string, from: number): Promise<ObservedPage> {
    if (node === this.#host.node) return this.#own(from);
    const other = this.#host.nodeRef(node);
    if (other === undefined) throw noConnection({ id: `${node}:` }, OBSERVE);
    return pageIn(await other.with({ timeoutMs: TIMEOUT_MS }).call(OBSERVE, from));
  }

  /** Another node asks. Throws ERR_NOT_ALLOWED. */
  take(by: string, [from]: readonly unknown[]): ObservedPage {
    const { node, allowObserve } = this.#host;
    if (!allowObserve.includes(by) && !allowObserve.includes("*")) {
      const message = `node ${node} shows node ${by} nothing: it is not in allow.observe`;
      throw new ActorError("ERR_NOT_ALLOWED", message, { node, by });
    }
    return this.#own(Number.isSafeInteger(from) && (from as number) >= 0 ? (from as number) : 0);
  }

  #own(from: number): ObservedPage {
    const now = performance.now();
    // However many ask.
    if (now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now;
      this.#rows = [...flatten(this.#host.tree())];
    }
    return { total: this.#rows.length, atMs: this.#lookedAt, rows: this.#rows.slice(from, from + PAGE_ROWS) };
  }
}

function* flatten({ children = [], ...row }: TreeNode, depth = 0): Generator<ObservedRow> {
  yield { ...row, depth };
  for (const child of children) yield* flatten(child, depth + 1);
}

const STATS: ActorStats = {
  state: "running",
  incarnation: 0,
  restarts: 0,
  mailbox: {
    length: 0,
    bytes: 0,
    capacity: 0,
    capacityBytes: 0,
    enqueued: 0,
    handled: 0,
    dropped: 0,
    blockedMs: 0,
    oldestAgeMs: 0,
  },
  heapUsedMb: 0,
  heapCapMb: 0,
  offHeapMb: 0,
  silentMs: 0,
  cpuMs: 0,
  streams: { open: 0, items: 0 },
  handling: null,
  latency: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
};
const FLAGS = { strategy: "one_for_one", intensity: 0, periodMs: 0, dynamic: false };
const ROW = { id: "", type: "worker", state: "running", restart: "permanent", depth: 0 };

/** What another node has answered, of which only what a page has is taken. Throws TypeError for what is none. */
function pageIn(value: unknown): ObservedPage {
  const { total, atMs, rows } = (value ?? {}) as { total?: unknown; atMs?: unknown; rows?: unknown };
  const isOne = Number.isSafeInteger(total) && Number.isFinite(atMs) && Array.isArray(rows);
  if (!isOne || rows.length > PAGE_ROWS) {
    throw new TypeError("malformed message: not a part of a tree");
  }
  return { total: Math.min(Math.max(total as number, 0), MOST_ROWS), atMs: atMs as number, rows: rows.map(rowIn) };
}

function rowIn(value: unknown): ObservedRow {
  const { stats, flags } = (value ?? {}) as { stats?: { handling?: unknown }; flags?: unknown };
  const handling = stats?.handling;
  return {
    ...(shaped(value, ROW) as unknown as ObservedRow),
    ...(stats === undefined ? {} : { stats: { ...shaped(stats, STATS), handling: handlingIn(handling) } }),
    ...(flags === undefined ? {} : { flags: shaped(flags, FLAGS) as unknown as NonNullable<TreeNode["flags"]> }),
  };
}

function handlingIn(value: unknown): ActorStats["handling"] {
  return typeof value === "object" && value !== null ? shaped(value, { method: "", sinceMs: 0 }) : null;
}

/** A copy that has what `like` has, of its types: its values, where `value` has others. */
function shaped<T extends object>(value: unknown, like: T): T {
  const from = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const entries = Object.entries(like).map(([key, one]): [string, unknown] => {
    const found = Object.hasOwn(from, key) ? from[key] : undefined;
    if (typeof one === "object" && one !== null) return [key, shaped(found, one)];
    if (typeof found !== typeof one || Number.isNaN(found)) return [key, one];
    return [key, typeof found === "string" ? found.slice(0, MOST_TEXT) : found];
  });
  return Object.fromEntries(entries) as T;
}
