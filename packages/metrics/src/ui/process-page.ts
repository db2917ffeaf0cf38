import { ChartGroup, ChartsOf } from "./chart-group.js";
import { byId, el, Facts } from "./dom.js";
import { count, duration, megabytes, percent, perSecond } from "./format.js";
import type { Live } from "./live.js";
import { PROCESS_SERIES } from "./wire.js";

const charts = new ChartsOf(PROCESS_SERIES);

/** The page of the whole process: threads, memory, event loop, totals. */
export class ProcessPage {
  readonly #live: Live;
  readonly #page = byId("process-page");
  readonly #cards = new Map<string, Facts>();
  readonly #charts = new ChartGroup([
    {
      title: "Memory",
      series: [
        { label: "resident", color: "--series-1", column: charts.column("rssMb") },
        { label: "main's heap", color: "--series-2", column: charts.column("heapUsedMb") },
      ],
      format: megabytes,
      atLeast: 1,
    },
    charts.line("CPU, all threads", "cpuPercent", { label: "of a core", format: percent, atLeast: 10 }),
    charts.line("Main's event-loop delay, p99", "loopP99Ms", { label: "p99", format: duration, atLeast: 5 }),
    charts.line("Messages handled per second", "handledPerSecond", { label: "handled", format: perSecond, atLeast: 4 }),
    charts.line("Messages waiting", "waiting", { label: "waiting", format: count, atLeast: 4 }),
    charts.line("Restarts per second", "restartsPerSecond", {
      label: "restarts",
      color: "--series-2",
      format: perSecond,
      atLeast: 1,
    }),
  ]);

  constructor(live: Live) {
    this.#live = live;
    const titles = [
      "Threads",
      "Memory",
      "Main's event loop",
      "Process",
      "Events",
      "Exits by reason",
      "Restarts by reason",
    ];
    const cards = titles.map((title) => {
      const facts = new Facts();
      this.#cards.set(title, facts);
      return el("section", { class: "card" }, el("h3", {}, title), facts.element);
    });
    this.#page.append(this.#charts.element, el("div", { class: "cards" }, ...cards));
  }

  render(): void {
    const { process, hello } = this.#live;
    if (this.#page.hidden || process === undefined) return;
    this.#set("Threads", {
      Actors: count(process.actors),
      "Threads of actors": count(process.threads),
      Spares: `${process.spares.ready} ready of ${process.spares.count}, at most ${process.spares.limit}`,
    });
    this.#set("Memory", {
      Resident: megabytes(process.rssMb),
      "Main's heap": `${megabytes(process.heapUsedMb)} of ${megabytes(process.heapTotalMb)}`,
      External: megabytes(process.externalMb),
      "Array buffers": megabytes(process.arrayBuffersMb),
    });
    const { p50Ms, p99Ms, maxMs } = process.loopDelay;
    this.#set("Main's event loop", {
      Delay: `p50 ${duration(p50Ms)}, p99 ${duration(p99Ms)}, max ${duration(maxMs)}`,
      Utilization: percent(process.loopUtilization * 100),
      CPU: percent(process.cpuPercent),
    });
    this.#set("Process", {
      Up: duration(process.uptimeMs),
      "Process id": String(hello?.pid ?? ""),
      Node: hello?.node ?? "",
      Host: hello === undefined ? "" : `${hello.host}, ${hello.platform}`,
      Observed: hello === undefined ? "" : duration(Math.max(0, process.now - hello.observedSince)),
    });
    const { events, exits, restarts } = process.totals;
    this.#set("Events", { ...counts(events), "dead letters, ever": count(process.deadLetters) });
    this.#set("Exits by reason", counts(exits));
    this.#set("Restarts by reason", counts(restarts));
  }

  showHistory(): void {
    if (this.#page.hidden) return;
    this.#charts.show(this.#live.processPoints);
  }

  redraw(): void {
    this.#charts.redraw();
  }

  #set(title: string, facts: Readonly<Record<string, string>>): void {
    for (const [term, value] of Object.entries(facts)) this.#cards.get(title)?.set(term, value);
  }
}

function counts(totals: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(totals).map(([name, value]) => [name.replaceAll("_", " "), count(value)]));
}
