import { el, setAttribute, setText } from "./dom.js";
import { ago, bytes, count, duration, megabytes, percent, perSecond } from "./format.js";
import { Meter } from "./meter.js";
import { hrefOf } from "./route.js";
import type { Below } from "./tree-order.js";
import { HEAP_HIGH, hasCrashedSince, MAILBOX_HIGH } from "./trouble.js";
import type { Row } from "./wire.js";

/** How long the line of an actor shows its last crash. */
const CRASH_SHOWN_MS = 60_000;
const INDENT_PX = 16;

/** One line of the tree. */
export class TreeRow {
  readonly element: HTMLElement;
  readonly #twisty = el("span", { class: "twisty", "aria-hidden": "true" });
  readonly #link = el("a", { class: "name", tabindex: "-1" });
  readonly #kind = el("span", { class: "kind" });
  readonly #nameCell: HTMLElement;
  readonly #state = el("span", { class: "state" });
  readonly #restarts = el("td", { class: "cell number restarts", role: "gridcell" });
  readonly #rate = el("td", { class: "cell number rate", role: "gridcell" });
  readonly #cpu = el("td", { class: "cell number cpu", role: "gridcell" });
  readonly #doing = el("td", { class: "cell doing", role: "gridcell" });
  readonly #mailbox = el("td", { class: "cell mailbox", role: "gridcell" });
  readonly #heap = el("td", { class: "cell heap", role: "gridcell" });
  #mailboxMeter: Meter | undefined;
  #heapMeter: Meter | undefined;
  #shown: { row: Row; below: Below | undefined; flat: boolean } | undefined;

  constructor(readonly id: string) {
    this.#link.href = hrefOf({ page: "node", id });
    this.#link.title = id;
    this.#nameCell = el(
      "th",
      { class: "cell name-cell", scope: "row", role: "rowheader" },
      this.#twisty,
      this.#link,
      this.#kind,
    );
    this.element = el(
      "tr",
      { class: "row", role: "row", tabindex: "-1" },
      this.#nameCell,
      el("td", { class: "cell state-cell", role: "gridcell" }, this.#state),
      this.#restarts,
      this.#mailbox,
      this.#rate,
      this.#heap,
      this.#cpu,
      this.#doing,
    );
    this.element.dataset.id = id;
  }

  update(row: Row, below: Below | undefined, flat: boolean, isCollapsed: boolean, now: number): void {
    const { actor } = row;
    const before = this.#shown;
    this.#shown = { row, below, flat };
    if (before?.row !== row || before.below !== below || before.flat !== flat) {
      setText(this.#link, flat ? row.id : row.name);
      this.#nameCell.style.paddingInlineStart = `${flat ? 0 : row.depth * INDENT_PX}px`;
      setAttribute(this.element, "aria-level", flat ? undefined : String(row.depth + 1));
      setText(this.#kind, below === undefined ? "" : `${below.running}/${below.actors}`);
      this.#kind.title = below === undefined ? "" : `${below.running} of ${below.actors} actors below run`;
      setText(this.#state, row.state);
      this.element.dataset.state = row.state;
      this.element.dataset.type = row.type;
      setText(this.#restarts, shownCount(below?.restarts ?? row.restarts));
      setText(this.#rate, actor === undefined || actor.handledPerSecond === 0 ? "" : perSecond(actor.handledPerSecond));
      setText(this.#cpu, actor?.cpuPercent === undefined ? "" : percent(actor.cpuPercent));
      if (actor !== undefined) this.#meters(actor);
    }
    const expanded = row.type === "supervisor" && !flat ? String(!isCollapsed) : undefined;
    setAttribute(this.element, "aria-expanded", expanded);
    this.age(now);
  }

  /** Updates the ages. */
  age(now: number): void {
    if (this.#shown === undefined) return;
    const { row } = this.#shown;
    const isFresh = hasCrashedSince(row, now - CRASH_SHOWN_MS);
    setAttribute(this.element, "data-crashed", isFresh ? "" : undefined);
    const { text, title, tone } = doing(row, isFresh, now);
    setText(this.#doing, text);
    setAttribute(this.#doing, "title", title);
    setAttribute(this.#doing, "data-tone", tone);
  }

  #meters({ mailbox, heapMb, heapCapMb, offHeapMb }: NonNullable<Row["actor"]>): void {
    if (this.#mailboxMeter === undefined || this.#heapMeter === undefined) {
      this.#mailboxMeter = new Meter("Mailbox", MAILBOX_HIGH);
      this.#heapMeter = new Meter("Heap", HEAP_HIGH);
      this.#mailbox.append(this.#mailboxMeter.element);
      this.#heap.append(this.#heapMeter.element);
    }
    const { length, capacity } = mailbox;
    // The bytes may fill the mailbox before the messages do.
    const isByBytes = mailbox.bytes / mailbox.capacityBytes > length / capacity && length > 0;
    const title = `${length} of ${capacity} messages, ${bytes(mailbox.bytes)} of ${bytes(mailbox.capacityBytes)}`;
    if (isByBytes) this.#mailboxMeter.set(mailbox.bytes, mailbox.capacityBytes, count(length), title);
    else this.#mailboxMeter.set(length, capacity, count(length), title);
    const heapTitle = `${megabytes(heapMb)} of ${megabytes(heapCapMb)}, and ${megabytes(offHeapMb)} off the heap`;
    this.#heapMeter.set(heapMb, heapCapMb, heapMb === 0 ? "" : megabytes(heapMb), heapTitle);
  }
}

function shownCount(value: number): string {
  return value === 0 ? "" : count(value);
}

/** The method that it handles, or how it ended, if that was recently. */
function doing({ actor, lastExit, supervisor, type }: Row, isFresh: boolean, now: number) {
  const crash = isFresh && lastExit !== undefined ? `${lastExit.text} · ${ago(now - lastExit.at)}` : undefined;
  if (crash !== undefined) return { text: `↻ ${crash}`, title: crash, tone: "bad" };
  if (actor !== undefined && actor.silentMs >= 1000) {
    const what = actor.process === undefined ? "in a native operation" : "its process does not answer";
    const text = `${what} · ${duration(actor.silentMs)}`;
    return { text, title: text, tone: "warn" };
  }
  const handling = actor?.handling;
  if (handling) {
    const forMs = now - handling.since;
    const text = forMs < 1000 ? handling.method : `${handling.method} · ${duration(Math.floor(forMs / 1000) * 1000)}`;
    return { text, title: text, tone: forMs > 5000 ? "warn" : undefined };
  }
  if (supervisor !== undefined && type === "supervisor") {
    const { strategy, intensity, periodMs, dynamic } = supervisor;
    const text = `${dynamic ? "dynamic" : strategy}, ${intensity} in ${duration(periodMs)}`;
    return { text, title: `${text}: its restart limit`, tone: undefined };
  }
  return { text: "", title: undefined, tone: undefined };
}
