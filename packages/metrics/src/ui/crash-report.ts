import { el, Facts, setText } from "./dom.js";
import { ago, clockTime, count, megabytes } from "./format.js";
import type { CrashRecord } from "./wire.js";

/** The last failure of an actor. */
export class CrashReport {
  readonly element: HTMLElement;
  readonly #reason = el("p", { class: "reason" });
  readonly #facts = new Facts();
  readonly #stack = el("pre", { tabindex: "0", "aria-label": "Stack" });

  constructor() {
    const title = el("h3", {}, "Last crash");
    this.element = el("section", { class: "card crash" }, title, this.#reason, this.#facts.element, this.#stack);
  }

  show(crash: CrashRecord | undefined, now: number): void {
    this.element.hidden = crash === undefined;
    if (crash === undefined) return;
    const { at, reason, incarnation, lastMethod, queueLength, heapUsedMb, heapCapMb, offHeapMb } = crash;
    setText(this.#reason, reason.text);
    this.#facts.set("When", `${clockTime(at)}, ${ago(now - at)}`);
    this.#facts.set("Incarnation", String(incarnation));
    this.#facts.set("Was handling", lastMethod ?? "nothing");
    this.#facts.set("Messages waiting", queueLength === undefined ? undefined : count(queueLength));
    const heap = heapUsedMb === undefined ? undefined : `${megabytes(heapUsedMb)} of ${megabytes(heapCapMb)}`;
    this.#facts.set("Heap", heap);
    this.#facts.set("Off the heap", offHeapMb === undefined ? undefined : megabytes(offHeapMb));
    this.#facts.set("Reported by", crash.supervisor);
    setText(this.#stack, crash.stack ?? "");
    this.#stack.hidden = crash.stack === undefined;
  }
}
