import type { Children, ChildState } from "#runtime/supervision/supervisor-state.js";
import { GROUPS, TALLIES } from "#runtime/supervision/supervisor-state.js";

/** What a supervisor's children are to be: a plain list that is walked whenever something is asked of it. */
export class NaiveChildren {
  #children: ChildState[];

  constructor(children: readonly ChildState[]) {
    this.#children = [...children];
  }

  get size(): number {
    return this.#children.length;
  }

  get(id: string): ChildState | undefined {
    return this.#children.find((child) => child.id === id);
  }

  add(child: ChildState): void {
    this.#children = [...this.#children, child];
  }

  replace(changed: ChildState): void {
    this.#children = this.#children.map((child) => (child.id === changed.id ? changed : child));
  }

  delete(id: string): void {
    this.#children = this.#children.filter((child) => child.id !== id);
  }

  [Symbol.iterator](): Iterator<ChildState> {
    return this.#children[Symbol.iterator]();
  }

  from(id: string): ChildState[] {
    const at = this.#children.findIndex((child) => child.id === id);
    return at === -1 ? [] : this.#children.slice(at);
  }

  precedes(id: string, other: string): boolean {
    const at = (wanted: string) => this.#children.findIndex((child) => child.id === wanted);
    return at(id) !== -1 && at(id) < at(other);
  }

  in(group: keyof typeof GROUPS): ChildState[] {
    return this.#children.filter(GROUPS[group]);
  }

  count(group: keyof typeof GROUPS): number {
    return this.in(group).length;
  }

  first(group: keyof typeof GROUPS): ChildState | undefined {
    return this.in(group)[0];
  }

  last(group: keyof typeof GROUPS): ChildState | undefined {
    return this.in(group).at(-1);
  }

  tally(name: keyof typeof TALLIES): Map<unknown, number> {
    const counts = new Map<unknown, number>();
    for (const child of this.#children) {
      const key = TALLIES[name](child);
      if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** In the place of a supervisor's keyed children, which cannot be made but by their class. */
  asChildren(): Children {
    return this as unknown as Children;
  }
}
