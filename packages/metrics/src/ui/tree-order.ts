import { isTrouble } from "./trouble.js";
import type { Row } from "./wire.js";

export const SORT_KEYS = ["restarts", "mailbox", "rate", "heap", "cpu"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface TreeView {
  /** Supervisors whose children are not shown. */
  readonly collapsed: ReadonlySet<string>;
  /** The text that a path must contain. */
  readonly filter: string;
  readonly onlyTrouble: boolean;
  /** Actors only, the largest first, instead of the tree. */
  readonly sort: SortKey | undefined;
}

const VALUE: Readonly<Record<SortKey, (row: Row) => number>> = {
  restarts: ({ restarts }) => restarts,
  mailbox: ({ actor }) => (actor === undefined ? 0 : actor.mailbox.length / actor.mailbox.capacity),
  rate: ({ actor }) => actor?.handledPerSecond ?? 0,
  heap: ({ actor }) => (actor === undefined ? 0 : actor.heapMb / actor.heapCapMb),
  cpu: ({ actor }) => actor?.cpuPercent ?? 0,
};

/** The rows to show, from top to bottom. `rows` is the tree from top to bottom. */
export function arrangeRows(rows: readonly Row[], view: TreeView, now: number): readonly Row[] {
  const filter = view.filter.trim().toLowerCase();
  const isWanted = (row: Row) =>
    (filter === "" || row.id.toLowerCase().includes(filter)) && (!view.onlyTrouble || isTrouble(row, now));
  const { sort } = view;
  if (sort !== undefined) {
    const value = VALUE[sort];
    // Equal rows stay in the order of the tree.
    return rows.filter((row) => row.actor !== undefined && isWanted(row)).sort((a, b) => value(b) - value(a));
  }
  if (filter === "" && !view.onlyTrouble) return outsideCollapsed(rows, view.collapsed);
  return withAncestors(rows, isWanted);
}

function outsideCollapsed(rows: readonly Row[], collapsed: ReadonlySet<string>): readonly Row[] {
  if (collapsed.size === 0) return rows;
  let hiddenBelow = Infinity;
  return rows.filter(({ id, depth }) => {
    if (depth > hiddenBelow) return false;
    hiddenBelow = collapsed.has(id) ? depth : Infinity;
    return true;
  });
}

function withAncestors(rows: readonly Row[], isWanted: (row: Row) => boolean): readonly Row[] {
  const kept: Row[] = [];
  let neededDepth = -1;
  for (const row of rows.toReversed()) {
    const isAncestor = row.depth < neededDepth;
    if (!isAncestor && !isWanted(row)) continue;
    kept.push(row);
    neededDepth = row.depth;
  }
  return kept.reverse();
}

/** The sums over all actors below a supervisor, for its line. */
export interface Below {
  actors: number;
  running: number;
  restarts: number;
}

export function countBelow(rows: readonly Row[]): ReadonlyMap<string, Below> {
  const counts = new Map<string, Below>();
  const above: { depth: number; below: Below }[] = [];
  for (const { id, depth, type, state, restarts } of rows) {
    while (above.length > 0 && (above.at(-1)?.depth ?? 0) >= depth) above.pop();
    if (type === "worker") {
      for (const { below } of above) {
        below.actors++;
        below.restarts += restarts;
        if (state === "running" || state === "suspended") below.running++;
      }
    } else {
      const below: Below = { actors: 0, running: 0, restarts: 0 };
      counts.set(id, below);
      above.push({ depth, below });
    }
  }
  return counts;
}
