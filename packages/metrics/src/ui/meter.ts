import { el, setAttribute, setText } from "./dom.js";

/** A bar for a number and its maximum, with the number beside it. */
export class Meter {
  readonly element: HTMLElement;
  readonly #bar = el("span", { class: "fill" });
  readonly #text = el("span", { class: "meter-text" });
  readonly #high: number;
  #width = "";

  /** From three quarters of the share `high` on it warns, and from `high` on it is bad. */
  constructor(label: string, high: number) {
    this.#high = high;
    this.element = el(
      "span",
      { class: "meter", role: "meter", "aria-label": label, "aria-valuemin": "0" },
      el("span", { class: "track" }, this.#bar),
      this.#text,
    );
  }

  set(value: number, most: number, text: string, title: string): void {
    const share = most > 0 ? Math.min(1, value / most) : 0;
    const width = `${Math.round(share * 100)}%`;
    if (width !== this.#width) {
      this.#width = width;
      this.#bar.style.width = width;
    }
    setText(this.#text, text);
    setAttribute(this.element, "title", title);
    setAttribute(this.element, "aria-valuemax", String(most));
    setAttribute(this.element, "aria-valuenow", String(Math.min(value, most)));
    setAttribute(this.element, "aria-valuetext", title);
    setAttribute(
      this.element,
      "data-tone",
      share >= this.#high ? "bad" : share >= this.#high * 0.75 ? "warn" : undefined,
    );
  }
}
