import { el, setText } from "./dom.js";
import { count } from "./format.js";
import type { MembersPart } from "./wire.js";

const PAGE = 100;
const ASK_EVERY_MS = 2_000;

/** The light actors of one partition, a page at a time: the longest queues first, or by their ids. */
export class MembersPanel {
  readonly element = el("section", { class: "members" });
  readonly #rows = el("tbody");
  readonly #note = el("p", { class: "note" });
  readonly #more = el("button", { type: "button" }, "More");
  readonly #sort = el(
    "select",
    { "aria-label": "Order of the light actors" },
    el("option", { value: "queue" }, "longest queue first"),
    el("option", { value: "id" }, "by id"),
  );
  #of: { readonly supervisor: string; readonly partition: string } | undefined;
  #last: string | undefined;
  #pages = 0;
  #askedAt = 0;
  #asking = 0;

  constructor() {
    const head = el("tr", {}, el("th", {}, "Light actor"), el("th", {}, "Waiting"));
    const table = el("table", {}, el("thead", {}, head), this.#rows);
    this.element.append(el("h3", {}, "Light actors "), this.#sort, table, this.#more, this.#note);
    this.element.hidden = true;
    this.#sort.addEventListener("change", () => void this.#ask(undefined));
    this.#more.addEventListener("click", () => void this.#ask(this.#last));
  }

  /** `members` is undefined for what is no partition. */
  show(id: string, members: number | undefined): void {
    this.element.hidden = members === undefined;
    if (members === undefined) return;
    const at = id.lastIndexOf("/");
    this.#of ??= { supervisor: id.slice(0, at), partition: id.slice(at + 1) };
    // Only what is one page is asked for again: who reads on must not lose the place.
    if (this.#pages <= 1 && performance.now() - this.#askedAt >= ASK_EVERY_MS) void this.#ask(undefined);
  }

  async #ask(after: string | undefined): Promise<void> {
    const of = this.#of;
    if (of === undefined) return;
    this.#askedAt = performance.now();
    const asked = ++this.#asking;
    const query = new URLSearchParams({ of: of.supervisor, partition: of.partition, limit: String(PAGE) });
    query.set("sort", this.#sort.value);
    if (after !== undefined) query.set("after", after);
    try {
      const response = await fetch(`api/children?${query}`);
      const part = (await response.json()) as MembersPart & { readonly message?: string };
      if (asked !== this.#asking) return;
      if (!response.ok) throw new Error(part.message);
      this.#take(part, after);
    } catch (error) {
      setText(this.#note, error instanceof Error ? error.message : String(error));
    }
  }

  #take({ members, more }: MembersPart, after: string | undefined): void {
    const rows = members.map(({ id, queued }) => el("tr", {}, el("td", {}, id), el("td", {}, count(queued))));
    if (after === undefined) this.#rows.replaceChildren(...rows);
    else this.#rows.append(...rows);
    this.#pages = after === undefined ? 1 : this.#pages + 1;
    this.#last = members.at(-1)?.id ?? this.#last;
    this.#more.hidden = !more;
    setText(this.#note, members.length === 0 && after === undefined ? "There are none." : "");
  }
}
