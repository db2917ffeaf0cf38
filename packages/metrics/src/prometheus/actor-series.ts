import type { ActorIdentity, ActorMeters, ActorSystem } from "@mini-otp/runtime";
import type { ActorMetric, ActorView, CountedEvent, EventMetric, MetricValue } from "./metric.js";
import { METRICS } from "./metric-table.js";
import { combine } from "./metric-value.js";

/** The value of the label `actor` for named actors beyond `maxActors`. */
export const OVERFLOW = "__overflow__";
/** The shortest time over which utilization is measured, so that two scrapes at once get the same value. */
const UTILIZATION_MS = 1000;

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /**
   * True for the series of one actor, or of one router's members, which ends with the last of them. The counters of a
   * common series go on.
   */
  readonly single: boolean;
  /** How many actors it is of now. */
  actors: number;
  /** The counters of its actors that are gone, by metric. */
  readonly left: Map<string, MetricValue>;
  readonly events: Record<CountedEvent, Record<string, number>>;
}

interface LoopSeen {
  readonly busyMs: number;
  readonly elapsedMs: number;
  readonly utilization: number;
}

const ACTOR_METRICS = METRICS.filter((metric): metric is ActorMetric => metric.of === "actor");
const COUNTED = ACTOR_METRICS.filter(({ type }) => type !== "gauge");

/** Assigns actors to series, and reads the values of each series. */
export class ActorSeries {
  readonly #system: ActorSystem;
  readonly #maxActors: number;
  readonly #series = new Map<string, Series>();
  /** For each path, the series of the actor, as long as the actor exists. */
  readonly #assigned = new Map<string, Series>();
  readonly #loops = new Map<string, LoopSeen>();
  readonly #listeners: readonly (() => void)[];
  #singles = 0;

  constructor(system: ActorSystem, maxActors: number) {
    this.#system = system;
    this.#maxActors = maxActors;
    for (const actor of system.meters.actors()) this.#of(actor);
    const count =
      (event: CountedEvent) => (what: { readonly id: string; readonly reason: { readonly kind: string } }) => {
        const actor = system.meters.actor(what.id);
        if (actor === undefined) return;
        const counts = this.#of(actor).events[event];
        counts[what.reason.kind] = (counts[what.reason.kind] ?? 0) + 1;
      };
    this.#listeners = [
      system.on("actor_restarted", count("restarts")),
      system.on("actor_exited", count("exits")),
      system.on("guard_killed", count("guardKills")),
      system.meters.onGone((last) => this.#gone(last)),
    ];
  }

  close(): void {
    for (const takeOff of this.#listeners) takeOff();
  }

  /** All values, by metric and series. */
  read(): Map<string, Map<Series, MetricValue>> {
    const present = new Map<Series, ActorView[]>();
    for (const meters of this.#system.meters.actors()) {
      const series = this.#of(meters);
      const views = present.get(series) ?? [];
      if (views.length === 0) present.set(series, views);
      views.push({ meters, utilization: this.#utilization(meters) });
    }
    const shown = new Map<string, Map<Series, MetricValue>>();
    for (const { name, together, read } of ACTOR_METRICS) {
      const values = new Map<Series, MetricValue>();
      for (const [series, views] of present) values.set(series, combine(views.map(read), together));
      shown.set(name, values);
    }
    for (const series of this.#series.values()) {
      for (const [name, left] of series.left) {
        const values = shown.get(name) as Map<Series, MetricValue>;
        values.set(series, plus(values.get(series), left));
      }
    }
    return shown;
  }

  events({ counts }: EventMetric): Map<Series, MetricValue> {
    return new Map(Array.from(this.#series.values(), (series) => [series, series.events[counts]]));
  }

  #of({ id, name, router, type }: ActorIdentity): Series {
    const known = this.#assigned.get(id);
    if (known !== undefined) return known;
    const series = this.#seriesOf(type, name ?? router);
    series.actors++;
    this.#assigned.set(id, series);
    return series;
  }

  #seriesOf(type: string, name: string | undefined): Series {
    if (name === undefined) return this.#seriesWith({ type }, false);
    const own = { type, actor: name };
    if (this.#singles < this.#maxActors || this.#series.has(JSON.stringify(own))) return this.#seriesWith(own, true);
    return this.#seriesWith({ type, actor: OVERFLOW }, false);
  }

  #seriesWith(labels: Series["labels"], single: boolean): Series {
    const key = JSON.stringify(labels);
    const there = this.#series.get(key);
    if (there !== undefined) return there;
    const events = { restarts: {}, exits: {}, guardKills: {} };
    const series: Series = { labels, single, actors: 0, left: new Map(), events };
    if (single) this.#singles++;
    this.#series.set(key, series);
    return series;
  }

  #gone(last: ActorMeters): void {
    const series = this.#of(last);
    series.actors--;
    this.#assigned.delete(last.id);
    this.#loops.delete(last.id);
    if (series.single && series.actors === 0) {
      this.#singles--;
      this.#series.delete(JSON.stringify(series.labels));
      return;
    }
    const view: ActorView = { meters: last, utilization: 0 };
    for (const { name, read } of COUNTED) series.left.set(name, plus(series.left.get(name), snapshot(read(view))));
  }

  #utilization({ id, loop: { busyMs, elapsedMs } }: ActorMeters): number {
    const before = this.#loops.get(id) ?? { busyMs: 0, elapsedMs: 0, utilization: 0 };
    const passedMs = elapsedMs - before.elapsedMs;
    if (passedMs < UTILIZATION_MS && this.#loops.has(id)) return before.utilization;
    const utilization = passedMs <= 0 ? 0 : Math.min(1, Math.max(0, (busyMs - before.busyMs) / passedMs));
    this.#loops.set(id, { busyMs, elapsedMs, utilization });
    return utilization;
  }
}

function plus(before: MetricValue | undefined, more: MetricValue): MetricValue {
  return before === undefined ? more : combine([before, more], "sum");
}

/** A copy, because the runtime goes on counting in the objects that it returns. */
function snapshot(value: MetricValue): MetricValue {
  return typeof value === "number" ? value : structuredClone(value);
}
