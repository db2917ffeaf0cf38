import { RankSet } from "./rank-set.js";

interface Row<Item> {
  item: Item;
  /** Increases along the list. */
  readonly rank: number;
  /** Bit i is set when the item is in group i. */
  groups: number;
}

/** A list is renumbered when less than half of its ranks are in use, but not while it has fewer ranks than this. */
const FEWEST_RANKS = 64;

/**
 * A list by id that always knows which items are in which group. Only an iteration takes longer when the list is
 * longer. `add` renumbers the list now and then, after at least as many calls as the list has items.
 */
export class GroupedList<Item extends { readonly id: string }, Group extends string, Tally extends string, Key>
  implements Iterable<Item>
{
  readonly #rows = new Map<string, Row<Item>>();
  #byRank: (Row<Item> | undefined)[] = [];
  readonly #groups: readonly { readonly has: (item: Item) => boolean; readonly ranks: RankSet }[];
  readonly #ranksOf: Record<Group, RankSet>;
  readonly #keyOf: readonly [(item: Item) => Key | undefined, Map<Key, number>][];
  readonly #tallies: Record<Tally, Map<Key, number>>;

  /**
   * @param groups for each group, whether an item is in it; at most 31
   * @param tallies for each tally, the key under which an item counts, or undefined
   */
  constructor(
    groups: Readonly<Record<Group, (item: Item) => boolean>>,
    tallies: Readonly<Record<Tally, (item: Item) => Key | undefined>>,
  ) {
    const names = Object.keys(groups) as Group[];
    this.#groups = names.map((name) => ({ has: groups[name], ranks: new RankSet() }));
    this.#ranksOf = fromPairs(names.map((name, index) => [name, this.#groups[index].ranks]));
    const tallyNames = Object.keys(tallies) as Tally[];
    this.#keyOf = tallyNames.map((name) => [tallies[name], new Map()]);
    this.#tallies = fromPairs(tallyNames.map((name, index) => [name, this.#keyOf[index][1]]));
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Item | undefined {
    return this.#rows.get(id)?.item;
  }

  /** Adds an item at the end. No item of the list may have the same id. */
  add(item: Item): void {
    if (this.#byRank.length >= Math.max(FEWEST_RANKS, 2 * this.#rows.size)) this.#renumber();
    const row = { item, rank: this.#byRank.length, groups: 0 };
    this.#rows.set(item.id, row);
    this.#byRank.push(row);
    this.#regroup(row);
    this.#count(item, 1);
  }

  /** Replaces the item that has the same id. Does nothing if there is none. */
  replace(item: Item): void {
    const row = this.#rows.get(item.id);
    if (row === undefined) return;
    this.#count(row.item, -1);
    row.item = item;
    this.#regroup(row);
    this.#count(item, 1);
  }

  delete(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    this.#byRank[row.rank] = undefined;
    for (const { ranks } of this.#groups) ranks.delete(row.rank);
    this.#count(row.item, -1);
  }

  /** In order. Items may be replaced and deleted meanwhile. */
  [Symbol.iterator](): Iterator<Item> {
    return this.#fromRank(0);
  }

  /** The item of this id and those after it. */
  *from(id: string): Iterable<Item> {
    const row = this.#rows.get(id);
    if (row !== undefined) yield* this.#fromRank(row.rank);
  }

  precedes(id: string, other: string): boolean {
    const [one, two] = [this.#rows.get(id), this.#rows.get(other)];
    return one !== undefined && two !== undefined && one.rank < two.rank;
  }

  count(group: Group): number {
    return this.#ranksOf[group].size;
  }

  first(group: Group): Item | undefined {
    return this.#byRank[this.#ranksOf[group].first()]?.item;
  }

  last(group: Group): Item | undefined {
    return this.#byRank[this.#ranksOf[group].last()]?.item;
  }

  /** In order. Items may be replaced and deleted meanwhile. */
  *in(group: Group): Iterable<Item> {
    const ranks = this.#ranksOf[group];
    for (let rank = ranks.first(); rank !== -1; rank = ranks.after(rank)) yield this.#byRank[rank]!.item;
  }

  /** How many items there are of each key. */
  tally(name: Tally): ReadonlyMap<Key, number> {
    return this.#tallies[name];
  }

  *#fromRank(first: number): Generator<Item> {
    for (let rank = first; rank < this.#byRank.length; rank++) {
      const row = this.#byRank[rank];
      if (row !== undefined) yield row.item;
    }
  }

  #regroup(row: Row<Item>): void {
    const before = row.groups;
    let groups = 0;
    for (let index = 0; index < this.#groups.length; index++) {
      const { has, ranks } = this.#groups[index];
      const bit = 1 << index;
      if (has(row.item)) groups |= bit;
      if (((groups ^ before) & bit) === 0) continue;
      if ((groups & bit) !== 0) ranks.add(row.rank);
      else ranks.delete(row.rank);
    }
    row.groups = groups;
  }

  #count(item: Item, change: 1 | -1): void {
    for (const [keyOf, counts] of this.#keyOf) {
      const key = keyOf(item);
      if (key === undefined) continue;
      const count = (counts.get(key) ?? 0) + change;
      if (count === 0) counts.delete(key);
      else counts.set(key, count);
    }
  }

  #renumber(): void {
    for (const { ranks } of this.#groups) ranks.clear();
    const rows = this.#byRank.filter((row) => row !== undefined);
    this.#byRank = rows.map(({ item }, rank) => ({ item, rank, groups: 0 }));
    for (const row of this.#byRank as Row<Item>[]) {
      this.#rows.set(row.item.id, row);
      this.#regroup(row);
    }
  }
}

function fromPairs<Name extends string, Value>(pairs: readonly (readonly [Name, Value])[]): Record<Name, Value> {
  return Object.fromEntries(pairs) as Record<Name, Value>;
}
