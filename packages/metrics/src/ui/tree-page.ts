import { arrange, byId, setAttribute, setText } from "./dom.js";
import { count } from "./format.js";
import type { Live } from "./live.js";
import type { OtherTree } from "./nodes.js";
import { hrefOf } from "./route.js";
import { focusRow, installTreeKeys, keepTabStop } from "./tree-keys.js";
import { arrangeRows, countBelow, type SortKey } from "./tree-order.js";
import { TreeRow } from "./tree-row.js";

/** How often sorted lines may change places, because that disturbs the reader. */
const RESORT_MS = 2000;

/** The supervision tree, as a treegrid. */
export class TreePage {
  readonly #live: Live;
  readonly #grid = byId("tree");
  readonly #body = byId("tree-rows");
  readonly #filter = byId<HTMLInputElement>("filter");
  readonly #trouble = byId<HTMLInputElement>("only-trouble");
  readonly #shownCount = byId("tree-count");
  readonly #rows = new Map<string, TreeRow>();
  readonly #collapsed = new Set<string>();
  #sort: SortKey | undefined;
  #sortedAt = 0;
  #order: readonly string[] = [];
  #selected: string | undefined;
  /** Another node's, in the place of this one's. */
  #other: OtherTree | undefined;

  constructor(live: Live) {
    this.#live = live;
    installTreeKeys(this.#grid, {
      open: (id) => {
        if (this.#other === undefined) location.hash = hrefOf({ page: "node", id });
      },
      expand: (id, open) => this.#expand(id, open),
    });
    this.#body.addEventListener("click", (event) => this.#clicked(event));
    this.#filter.addEventListener("input", () => this.render());
    this.#trouble.addEventListener("change", () => this.render());
    for (const button of this.#grid.querySelectorAll<HTMLButtonElement>("button[data-sort]")) {
      button.addEventListener("click", () => this.#sortBy(button.dataset.sort as SortKey));
    }
    addEventListener("keydown", (event) => {
      const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.#filter.focus();
    });
  }

  /** From now on the tree of another node, whose actors have no page here; undefined for this node's. */
  show(other: OtherTree | undefined): void {
    const isOther = (other === undefined) !== (this.#other === undefined);
    this.#other = other;
    if (isOther) {
      this.#rows.clear();
      this.#collapsed.clear();
    }
    this.render();
  }

  get #source(): OtherTree {
    return this.#other ?? this.#live;
  }

  /** Shows what the live state has now. */
  render(): void {
    const { rows, now } = this.#source;
    const view = {
      collapsed: this.#collapsed,
      filter: this.#filter.value,
      onlyTrouble: this.#trouble.checked,
      sort: this.#sort,
    };
    const below = countBelow(rows);
    const shown = this.#settled(arrangeRows(rows, view, now));
    const isFlat = this.#sort !== undefined;
    const elements = shown.map((row) => {
      let line = this.#rows.get(row.id);
      if (line === undefined) {
        line = new TreeRow(row.id);
        this.#rows.set(row.id, line);
      }
      line.update(row, below.get(row.id), isFlat, this.#collapsed.has(row.id), now);
      setAttribute(line.element, "aria-selected", row.id === this.#selected ? "true" : undefined);
      return line.element;
    });
    arrange(this.#body, elements);
    for (const id of this.#rows.keys()) if (this.#source.row(id) === undefined) this.#rows.delete(id);
    keepTabStop(this.#grid);
    setAttribute(this.#grid, "aria-rowcount", String(shown.length + 1));
    const all = rows.length;
    setText(this.#shownCount, shown.length === all ? "" : `${count(shown.length)} of ${count(all)}`);
    byId("tree-empty").hidden = shown.length > 0 || all === 0;
  }

  /** Called once a second, to update the ages. */
  age(): void {
    const { now } = this.#source;
    for (const row of this.#rows.values()) if (row.element.isConnected) row.age(now);
    if (this.#trouble.checked) this.render();
  }

  select(id: string | undefined): void {
    if (id === this.#selected) return;
    const before = this.#selected;
    this.#selected = id;
    for (const each of [before, id]) {
      const element = each === undefined ? undefined : this.#rows.get(each)?.element;
      if (element !== undefined) setAttribute(element, "aria-selected", each === id ? "true" : undefined);
    }
  }

  /** Called on the way back from an actor's page. */
  focus(id: string): void {
    focusRow(this.#grid, this.#rows.get(id)?.element);
  }

  /** Sorted lines keep their places for a while. */
  #settled<T extends { readonly id: string }>(rows: readonly T[]): readonly T[] {
    const at = performance.now();
    if (this.#sort === undefined || at - this.#sortedAt >= RESORT_MS || rows.length !== this.#order.length) {
      this.#sortedAt = at;
      this.#order = rows.map(({ id }) => id);
      return rows;
    }
    const byRow = new Map(rows.map((row) => [row.id, row]));
    const kept = this.#order.flatMap((id) => byRow.get(id) ?? []);
    return kept.length === rows.length ? kept : rows;
  }

  #clicked(event: MouseEvent): void {
    const { target } = event;
    const row = (target as HTMLElement).closest<HTMLElement>(".row[data-id]");
    if (row === null) return;
    if ((target as HTMLElement).closest("a") !== null) {
      if (this.#other !== undefined) event.preventDefault();
      return;
    }
    const id = row.dataset.id ?? "";
    if ((target as HTMLElement).closest(".twisty") !== null) {
      this.#expand(id, row.getAttribute("aria-expanded") !== "true");
      return;
    }
    if (this.#other !== undefined) return;
    // The user has selected text, probably to copy it: the click does not open the line.
    if (getSelection()?.isCollapsed === false) return;
    location.hash = hrefOf({ page: "node", id });
  }

  #expand(id: string, open: boolean): boolean {
    if (this.#source.row(id)?.type !== "supervisor" || this.#sort !== undefined) return false;
    if (this.#collapsed.has(id) !== open) return false;
    if (open) this.#collapsed.delete(id);
    else this.#collapsed.add(id);
    this.render();
    return true;
  }

  /** The second click on a key leads back to the tree. */
  #sortBy(key: SortKey): void {
    this.#sort = this.#sort === key ? undefined : key;
    this.#sortedAt = 0;
    for (const button of this.#grid.querySelectorAll<HTMLButtonElement>("button[data-sort]")) {
      const isSorted = button.dataset.sort === this.#sort;
      setAttribute(button.parentElement as Element, "aria-sort", isSorted ? "descending" : undefined);
    }
    this.render();
  }
}
