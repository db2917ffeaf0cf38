import { el, setText } from "./dom.js";
import { clockTime, count } from "./format.js";
import type { LogRecord } from "./wire.js";

/** An actor's log, the latest line last. The view follows it unless the user has scrolled away. */
export class LogView {
  readonly element: HTMLElement;
  readonly #list = el("ol", { class: "log", tabindex: "0", "aria-label": "Log lines" });
  readonly #note = el("p", { class: "note" });
  #lastSeq = 0;

  constructor() {
    this.element = el("section", { class: "card" }, el("h3", {}, "Log"), this.#note, this.#list);
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#lastSeq = 0;
  }

  show(lines: readonly LogRecord[], skipped: number): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 24;
    this.#list.append(...lines.filter(({ seq }) => seq > this.#lastSeq).map(lineOf));
    this.#lastSeq = Math.max(this.#lastSeq, lines.at(-1)?.seq ?? 0);
    while (this.#list.childElementCount > lines.length) this.#list.firstElementChild?.remove();
    const nothing = lines.length === 0 ? "It has logged nothing since the observer was started." : "";
    const missing = skipped > 0 ? `${count(skipped)} earlier lines are not kept.` : "";
    setText(this.#note, nothing || missing);
    this.#note.hidden = nothing === "" && missing === "";
    this.#list.hidden = lines.length === 0;
    if (isAtEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

function lineOf({ at, level, message, error, fields, incarnation }: LogRecord): HTMLElement {
  const line = el(
    "li",
    { title: `incarnation ${incarnation}` },
    el("time", {}, clockTime(at)),
    el("span", { class: "level" }, level),
    el("span", { class: "message" }, message),
  );
  line.dataset.level = level;
  if (fields !== undefined) line.append(el("code", {}, fields));
  if (error !== undefined) line.append(el("pre", {}, error));
  return line;
}
