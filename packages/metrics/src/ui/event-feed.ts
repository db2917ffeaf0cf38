import { arrange, byId, el, setText } from "./dom.js";
import { clockTime, count, duration } from "./format.js";
import { hrefOf } from "./route.js";
import type { EventRecord } from "./wire.js";

const KEPT = 300;
/** An event that happens again is merged with its line if that is among this many last lines. */
const MERGED_WITHIN = 40;
/** A screen reader gets at most one failure in this time. */
const ANNOUNCE_MS = 5000;

interface Entry {
  readonly key: string;
  readonly element: HTMLElement;
  readonly time: HTMLElement;
  readonly text: HTMLElement;
  readonly times: HTMLElement;
  repeated: number;
}

/** The events, the latest first. */
export class EventFeed {
  readonly #list = byId("feed");
  readonly #failuresOnly = byId<HTMLInputElement>("failures-only");
  readonly #skippedNote = byId("feed-skipped");
  readonly #announcer = byId("announcer");
  #entries: Entry[] = [];
  #skipped = 0;
  #announcedAt = -Infinity;
  #isFirst = true;

  constructor() {
    this.#failuresOnly.addEventListener("change", () => {
      this.#list.classList.toggle("failures-only", this.#failuresOnly.checked);
    });
  }

  add(events: readonly EventRecord[], skipped: number): void {
    for (const event of events) this.#add(event);
    this.#entries.length = Math.min(this.#entries.length, KEPT);
    arrange(
      this.#list,
      this.#entries.map(({ element }) => element),
    );
    this.#skipped += skipped;
    this.#skippedNote.hidden = this.#skipped === 0;
    setText(this.#skippedNote, `${count(this.#skipped)} events came too fast to be shown`);
    byId("feed-empty").hidden = this.#entries.length > 0;
    if (!this.#isFirst) this.#announce(events.findLast(({ failed }) => failed));
    this.#isFirst = false;
  }

  #add(event: EventRecord): void {
    if (event.event === "actor_restarted") this.#takeBack("actor_started", event.id);
    const key = `${event.event} ${event.id} ${event.method ?? event.node ?? ""} ${event.reason?.kind ?? ""}`;
    const at = this.#entries.slice(0, MERGED_WITHIN).findIndex((entry) => entry.key === key);
    const entry = at < 0 ? newEntry(key, event) : (this.#entries.splice(at, 1)[0] as Entry);
    entry.repeated++;
    setText(entry.time, clockTime(event.at));
    setText(entry.text, describe(event));
    setText(entry.times, entry.repeated > 1 ? `×${count(entry.repeated)}` : "");
    this.#entries.unshift(entry);
  }

  /** Takes back the last event of this name: a restart is preceded by the event of its start. */
  #takeBack(name: string, id: string): void {
    const at = this.#entries.slice(0, MERGED_WITHIN).findIndex(({ key }) => key.startsWith(`${name} ${id} `));
    const entry = this.#entries[at];
    if (entry === undefined) return;
    entry.repeated--;
    setText(entry.times, entry.repeated > 1 ? `×${count(entry.repeated)}` : "");
    if (entry.repeated === 0) this.#entries.splice(at, 1);
  }

  #announce(event: EventRecord | undefined): void {
    if (event === undefined || performance.now() - this.#announcedAt < ANNOUNCE_MS) return;
    this.#announcedAt = performance.now();
    setText(this.#announcer, `${event.id}: ${describe(event)}`);
  }
}

function newEntry(key: string, { event, id, failed }: EventRecord): Entry {
  const time = el("time");
  const text = el("span", { class: "what" });
  const times = el("span", { class: "times" });
  const name = el("a", { href: hrefOf({ page: "node", id }), title: id }, id);
  const element = el("li", { class: "event" }, time, name, times, text);
  element.dataset.tone = toneOf(event, failed === true);
  return { key, element, time, text, times, repeated: 0 };
}

function toneOf(event: string, failed: boolean): string {
  if (failed) return "bad";
  if (event === "actor_restarted" || event === "mailbox_full" || event === "dead_letter") return "warn";
  return event === "operator" ? "info" : event === "actor_started" ? "good" : "none";
}

function describe({ event, reason, incarnation, attempt, delayMs, method, why, node }: EventRecord): string {
  const because = reason === undefined ? "" : `: ${reason.text}`;
  switch (event) {
    case "actor_started":
      return incarnation !== undefined && incarnation > 1 ? `started, incarnation ${incarnation}` : "started";
    case "actor_exited":
      return `exited${because}`;
    case "actor_restarted": {
      const delay = delayMs === undefined || delayMs === 0 ? "" : `, after ${duration(delayMs)}`;
      const which = attempt === undefined || attempt < 2 ? "" : `, attempt ${attempt}`;
      return `restarted, incarnation ${incarnation}${which}${delay}`;
    }
    case "child_start_failed":
      return `failed to start${because}`;
    case "supervisor_escalated":
      return `gave up${because}`;
    case "mailbox_full":
      return `mailbox full: ${method}`;
    case "dead_letter":
      return `dead letter: ${method} (${why?.replace("_", " ")})`;
    case "guard_killed":
      return `killed by the guard${because}`;
    case "actor_zombie":
      return "its thread survives its kill";
    case "actor_quarantined":
      return `its partition ended over it again: not started again${because}`;
    case "memory_unattributed":
      return "ran while memory grew that is in no actor's numbers";
    case "system_stopped":
      return `the system has stopped${because}`;
    case "node_up":
      return `node ${node} is connected`;
    case "node_down":
      return `node ${node} is not connected any more (${why})`;
    case "node_suspect":
      return `node ${node} has not been heard of for some heartbeats`;
    case "link_full":
      return `what is for node ${node} waits: it acknowledges too little`;
    case "lease_lost":
      return `the node's lease is lost (${why})`;
    case "operator":
      return `${method} asked for on this page`;
    default:
      return `${event.replaceAll("_", " ")}${because}`;
  }
}
