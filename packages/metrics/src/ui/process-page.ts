import { Chart } from "./charts.js";
import { byId, el, Facts } from "./dom.js";
import { count, duration, megabytes, percent, perSecond } from "./format.js";
import type { Live } from "./live.js";
import { PROCESS_SERIES } from "./wire.js";

const column = (name: (typeof PROCESS_SERIES)[number]) => PROCESS_SERIES.indexOf(name);

/** The process as a whole: threads, memory, event loop, totals. */
export class ProcessPage {
  readonly #live: Live;
  readonly #page = byId("process-page");
  readonly #cards = new Map<string, Facts>();
  readonly #charts = [
    new Chart({
      title: "Memory",
      series: [
        { label: "resident", color: "--series-1", column: column("rssMb") },
        { label: "main's heap", color: "--series-2", column: column("heapUsedMb") },
      ],
      format: megabytes,
      atLeast: 1,
    }),
    new Chart({
      title: "CPU, all threads",
      series: [{ label: "of a core", color: "--series-1", column: column("cpuPercent") }],
      format: percent,
      atLeast: 10,
    }),
    new Chart({
      title: "Main's event-loop delay, p99",
      series: [{ label: "p99", color: "--series-1", column: column("loopP99Ms") }],
      format: duration,
      atLeast: 5,
    }),
    new Chart({
      title: "Messages handled per second",
      series: [{ label: "handled", color: "--series-1", column: column("handledPerSecond") }],
      format: perSecond,
      atLeast: 4,
    }),
    new Chart({
      title: "Messages waiting",
      series: [{ label: "waiting", color: "--series-1", column: column("waiting") }],
      format: count,
      atLeast: 4,
    }),
    new Chart({
      title: "Restarts per second",
      series: [{ label: "restarts", color: "--series-2", column: column("restartsPerSecond") }],
      format: perSecond,
      atLeast: 1,
    }),
  ];

  constructor(live: Live) {
    this.#live = live;
    const charts = el("div", { class: "charts" }, ...this.#charts.map(({ element }) => element));
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
    this.#page.append(charts, el("div", { class: "cards" }, ...cards));
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
    for (const chart of this.#charts) chart.show(this.#live.processPoints);
  }

  redraw(): void {
    for (const chart of this.#charts) chart.redraw();
  }

  #set(title: string, facts: Readonly<Record<string, string>>): void {
    for (const [term, value] of Object.entries(facts)) this.#cards.get(title)?.set(term, value);
  }
}

function counts(totals: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(totals).map(([name, value]) => [name.replaceAll("_", " "), count(value)]));
}
