import type { Actions } from "./actions.js";
import { ChartGroup, ChartsOf } from "./chart-group.js";
import { CrashReport } from "./crash-report.js";
import { byId, el, Facts, setText } from "./dom.js";
import { bytes, count, duration, megabytes, percent, perSecond } from "./format.js";
import type { Live } from "./live.js";
import { LogView } from "./log-view.js";
import { MembersPanel } from "./members-panel.js";
import { ACTOR_SERIES, type ActionName, type ActorRow, type Row } from "./wire.js";

const charts = new ChartsOf(ACTOR_SERIES);

/** The page of one actor or supervisor. */
export class ActorPage {
  readonly #live: Live;
  readonly #panel = byId("node-panel");
  readonly #title = byId("node-title");
  readonly #state = byId("node-state");
  readonly #buttons = new Map<ActionName, HTMLButtonElement>();
  #id: string | undefined;
  #facts = new Facts();
  #crash = new CrashReport();
  #log = new LogView();
  #members = new MembersPanel();
  #charts: ChartGroup | undefined;
  #gone = el("p", { class: "note" }, "It is not in the tree any more.");

  constructor(live: Live, actions: Actions) {
    this.#live = live;
    for (const button of byId("node-actions").querySelectorAll<HTMLButtonElement>("button[data-action]")) {
      const action = button.dataset.action as ActionName;
      this.#buttons.set(action, button);
      button.addEventListener("click", () => {
        if (this.#id !== undefined) void actions.perform(action, this.#id);
      });
    }
  }

  open(id: string | undefined): void {
    if (id === this.#id) return;
    this.#id = id;
    this.#panel.hidden = id === undefined;
    this.#charts?.close();
    this.#charts = undefined;
    if (id === undefined) return;
    setText(this.#title, id);
    this.#title.title = id;
    this.#facts = new Facts();
    this.#crash = new CrashReport();
    this.#log = new LogView();
    this.#members = new MembersPanel();
    this.#charts = this.#newCharts(id);
    const { element } = this.#charts;
    const parts = [this.#facts.element, this.#members.element, element, this.#crash.element, this.#log.element];
    byId("node-body").replaceChildren(this.#gone, ...parts);
    this.#panel.scrollTop = 0;
    this.render();
    this.showNews();
  }

  /** Called when the line of the tree has changed, or time has passed. */
  render(): void {
    if (this.#id === undefined) return;
    const row = this.#live.row(this.#id);
    this.#gone.hidden = row !== undefined || this.#live.rows.length === 0;
    setText(this.#state, row?.state ?? "gone");
    this.#state.dataset.state = row?.state ?? "stopped";
    this.#showButtons(row);
    if (row !== undefined) this.#showFacts(row);
    this.#crash.show(this.#live.crash, this.#live.now);
    this.#members.show(this.#id, row?.members);
    const isActor = row === undefined ? this.#live.actorPoints.times.length > 0 : row.actor !== undefined;
    if (this.#charts !== undefined) this.#charts.element.hidden = !isActor;
    this.#log.element.hidden = !isActor;
  }

  showHistory(): void {
    this.#charts?.show(this.#live.actorPoints);
  }

  showNews(): void {
    if (this.#id === undefined) return;
    this.#log.show(this.#live.lines, this.#live.skippedLines);
    this.#crash.show(this.#live.crash, this.#live.now);
  }

  redraw(): void {
    this.#charts?.redraw();
  }

  #newCharts(id: string): ChartGroup {
    const heapCapMb = () => this.#live.row(id)?.actor?.heapCapMb;
    return new ChartGroup([
      charts.line("Messages waiting", "waiting", { label: "waiting", format: count, atLeast: 4 }),
      charts.line("Handled per second", "handledPerSecond", { label: "handled", format: perSecond, atLeast: 4 }),
      {
        title: "Memory",
        series: [
          { label: "heap", color: "--series-1", column: charts.column("heapMb") },
          { label: "off heap", color: "--series-2", column: charts.column("offHeapMb") },
          { label: "cap", color: "--bad", column: heapCapMb },
        ],
        format: megabytes,
        atLeast: 1,
      },
      charts.line("CPU", "cpuPercent", { label: "of a core", format: percent, atLeast: 10 }),
    ]);
  }

  #showButtons(row: Row | undefined): void {
    const isActor = row?.actor !== undefined;
    const possible: Readonly<Record<ActionName, boolean>> = {
      suspend: isActor && row?.state === "running",
      resume: isActor && row?.state === "suspended",
      restart: row !== undefined && row.depth > 0,
      kill: isActor && (row?.state === "running" || row?.state === "suspended"),
    };
    for (const [action, button] of this.#buttons) {
      // Suspend and resume exclude each other: only one is shown.
      if (action === "resume") button.hidden = !possible.resume;
      else if (action === "suspend") button.hidden = possible.resume;
      button.disabled = !possible[action];
    }
    const restart = this.#buttons.get("restart");
    if (restart !== undefined) setText(restart, row?.state === "stopped" ? "Start" : "Restart");
  }

  #showFacts(row: Row): void {
    const facts = this.#facts;
    const { actor, supervisor, lastExit, restart } = row;
    facts.set("Restart type", restart);
    if (supervisor !== undefined) {
      facts.set("Strategy", supervisor.dynamic ? "dynamic, one_for_one" : supervisor.strategy);
      facts.set("Restart limit", `${supervisor.intensity} in ${duration(supervisor.periodMs)}`);
    }
    facts.set("Light actors", row.members === undefined ? undefined : count(row.members));
    if (actor !== undefined) showActor(facts, row, actor, this.#live.now);
    // A failure is not shown here, because it has a report of its own.
    facts.set("Last exit", lastExit?.failed === false ? lastExit.text : undefined);
  }
}

function showActor(facts: Facts, { restarts }: Row, actor: ActorRow, now: number): void {
  const { mailbox, handling, latency } = actor;
  facts.set("Incarnation", `${actor.incarnation} (${restarts} restarts)`);
  const forMs = handling === null ? 0 : now - handling.since;
  facts.set("Handling", handling === null ? "nothing" : `${handling.method}, for ${duration(Math.max(0, forMs))}`);
  facts.set("Mailbox", `${count(mailbox.length)} of ${count(mailbox.capacity)}`);
  facts.set("Mailbox bytes", `${bytes(mailbox.bytes)} of ${bytes(mailbox.capacityBytes)}`);
  facts.set("Oldest waits", mailbox.length === 0 ? undefined : duration(mailbox.oldestAgeMs));
  facts.set("Handled", `${count(actor.handled)}, ${perSecond(actor.handledPerSecond)}/s`);
  const { open, items } = actor.streams;
  facts.set("Streams", items === 0 && open === 0 ? undefined : `${count(open)} open, ${count(items)} items sent`);
  facts.set("Dropped", count(mailbox.dropped));
  facts.set("Senders blocked", duration(mailbox.blockedMs));
  const { p50Ms, p99Ms, maxMs } = latency;
  facts.set("Accepted to handled", `p50 ${duration(p50Ms)}, p99 ${duration(p99Ms)}, max ${duration(maxMs)}`);
  facts.set("Heap", `${megabytes(actor.heapMb)} of ${megabytes(actor.heapCapMb)}`);
  facts.set("Off the heap", megabytes(actor.offHeapMb));
  const { process } = actor;
  facts.set("Process", process === undefined ? undefined : `${process.pid}, ${megabytes(process.rssMb)} resident`);
  facts.set("CPU", actor.cpuPercent === undefined ? undefined : percent(actor.cpuPercent));
  const silent = actor.silentMs > 0 ? `for ${duration(actor.silentMs)}` : undefined;
  facts.set(process === undefined ? "Native operation" : "No answer", silent);
}
