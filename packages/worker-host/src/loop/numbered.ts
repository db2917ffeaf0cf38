const PAGE_SIZE = 64;

interface Page<Item> {
  readonly items: (Item | undefined)[];
  used: number;
}

/**
 * Items by numbers that are assigned in sequence. Sixty-four neighbours share a page; an empty page is dropped.
 *
 * This is not a Map: a Map with 100 000 entries takes 0.8 µs to replace one number by a new one, mostly because it
 * moves to new tables (Node 20).
 */
export class Numbered<Item> {
  readonly #pages = new Map<number, Page<Item>>();

  get(number: number): Item | undefined {
    return this.#pages.get(pageOf(number))?.items[number % PAGE_SIZE];
  }

  set(number: number, item: Item): void {
    let page = this.#pages.get(pageOf(number));
    if (page === undefined) {
      page = { items: new Array<Item | undefined>(PAGE_SIZE).fill(undefined), used: 0 };
      this.#pages.set(pageOf(number), page);
    }
    if (page.items[number % PAGE_SIZE] === undefined) page.used++;
    page.items[number % PAGE_SIZE] = item;
  }

  delete(number: number): void {
    const page = this.#pages.get(pageOf(number));
    if (page?.items[number % PAGE_SIZE] === undefined) return;
    page.items[number % PAGE_SIZE] = undefined;
    if (--page.used === 0) this.#pages.delete(pageOf(number));
  }
}

function pageOf(number: number): number {
  return Math.floor(number / PAGE_SIZE);
}
