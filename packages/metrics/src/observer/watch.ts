import type { ActorSystem, LogLine, SystemEvent, TreeNode } from "@mini-otp/runtime";
import { type EventRecord, PROCESS_SERIES, type ProcessRow, type Row, type TreeUpdate } from "../ui/wire.js";
import { type Dossier, Dossiers } from "./dossiers.js";
import { eventRecord } from "./event-record.js";
import { History } from "./history.js";
import { ProcessSampler } from "./process-sample.js";
import { Recent } from "./recent.js";
import { countersOf, flatten, ratesOf, rowOf } from "./rows.js";

const KEPT_EVENTS = 1000;
/** The time between two points of the charts. */
const POINT_MS = 1000;

interface Line {
  readonly row: Row;
  readonly json: string;
  /** The number of the look at which it last changed. */
  readonly revision: number;
}

/** Looks at the system from main, repeatedly, and keeps the results. It sends nothing to an actor's thread. */
export class Watch {
  readonly since = Date.now();
  readonly events = new Recent<EventRecord>(KEPT_EVENTS);
  readonly history = new History(PROCESS_SERIES.length);
  readonly dossiers: Dossiers;
  /** Called after each event. */
  onEvent = (): void => {};
  readonly #system: ActorSystem;
  readonly #process = new ProcessSampler();
  readonly #ends: (() => void)[] = [];
  readonly #totals = { events: {} as Totals, exits: {} as Totals, restarts: {} as Totals };
  readonly #updates = new Map<number, string>();
  #lines = new Map<string, Line>();
  #order: readonly string[] = [];
  #orderRevision = 0;
  #revision = 0;
  #state: TreeUpdate["system"] = "running";
  #lookedAt = 0;
  #chartedAt = 0;
  #chartedRestarts = 0;
  #processRow: ProcessRow | undefined;

  constructor(system: ActorSystem, logFields: boolean) {
    this.#system = system;
    this.dossiers = new Dossiers(logFields);
    this.#ends.push(system.onLog((line: LogLine) => this.dossiers.logged(line, Date.now())));
    for (const name of EVENTS) {
      this.#ends.push(
        system.on(name, (event) => {
          this.#happened(event);
          this.onEvent();
        }),
      );
    }
    this.look();
  }

  get revision(): number {
    return this.#revision;
  }

  get processRow(): ProcessRow | undefined {
    return this.#processRow;
  }

  /** Reads the tree and all numbers. */
  look(): void {
    const now = Date.now();
    const at = performance.now();
    const charting = at - this.#chartedAt >= POINT_MS * 0.9;
    const tree = this.#system.tree();
    const revision = this.#revision + 1;
    const lines = new Map<string, Line>();
    let changed = false;
    let waiting = 0;
    let handledPerSecond = 0;
    for (const place of flatten(tree)) {
      const { id, stats } = place.node;
      const before = this.#lines.get(id);
      const dossier = stats === undefined ? this.dossiers.get(id) : this.dossiers.of(id);
      const rates = stats === undefined || dossier === undefined ? NO_RATES : look(dossier, stats, at);
      const row = rowOf(place, rates, now, before?.row, dossier?.lastExit);
      const json = JSON.stringify(row);
      const same = before?.json === json;
      if (!same) changed = true;
      lines.set(id, same ? before : { row, json, revision });
      if (stats === undefined || dossier === undefined) continue;
      waiting += stats.mailbox.length;
      if (charting) handledPerSecond += chart(dossier, stats, at, now);
    }
    this.#adopt(lines, tree.state === "stopped" ? "stopped" : "running", changed, revision);
    this.#lookedAt = at;
    if (charting) this.#chart(Math.round(handledPerSecond), waiting, at, now);
  }

  /** How long ago the last look was. */
  get ageMs(): number {
    return performance.now() - this.#lookedAt;
  }

  /** The changes of the tree since that revision, as JSON; the whole tree for 0. */
  update(since: number): string {
    const known = this.#updates.get(since);
    if (known !== undefined) return known;
    const rows: string[] = [];
    for (const { revision, json } of this.#lines.values()) if (revision > since) rows.push(json);
    const head: Omit<TreeUpdate, "rows"> = {
      now: Date.now(),
      whole: since === 0,
      system: this.#state,
      ...(this.#orderRevision > since ? { order: this.#order } : {}),
    };
    const update = `${JSON.stringify(head).slice(0, -1)},"rows":[${rows.join(",")}]}`;
    this.#updates.set(since, update);
    return update;
  }

  /** Records an action of a viewer in the feed. */
  acted(action: string, id: string): void {
    this.events.add((seq) => ({ seq, event: "operator", id, at: Date.now(), method: action }));
    this.onEvent();
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#process.close();
  }

  /** Adds a point to the charts of the process. */
  #chart(handledPerSecond: number, waiting: number, at: number, now: number): void {
    const restarts = this.#totals.events.actor_restarted ?? 0;
    const seconds = (at - this.#chartedAt) / 1000;
    const restartsPerSecond = Math.round(((restarts - this.#chartedRestarts) / seconds) * 10) / 10;
    this.#chartedAt = at;
    this.#chartedRestarts = restarts;
    const work = { handledPerSecond, restartsPerSecond, waiting, totals: this.#totals };
    const sample = this.#process.sample(this.#system, now, work);
    this.#processRow = sample;
    const values = { ...sample, loopP99Ms: sample.loopDelay.p99Ms };
    this.history.add(
      now,
      PROCESS_SERIES.map((name) => values[name]),
    );
  }

  #adopt(lines: Map<string, Line>, state: TreeUpdate["system"], changed: boolean, revision: number): void {
    const order = [...lines.keys()];
    const moved = order.length !== this.#order.length || order.some((id, i) => id !== this.#order[i]);
    this.#lines = lines;
    if (!changed && !moved && state === this.#state) return;
    this.#revision = revision;
    this.#state = state;
    this.#updates.clear();
    if (!moved) return;
    this.#order = order;
    this.#orderRevision = revision;
    this.dossiers.present(new Set(order));
  }

  #happened(event: SystemEvent): void {
    const at = Date.now();
    this.events.add((seq) => eventRecord(event, at, seq));
    this.dossiers.happened(event, at);
    count(this.#totals.events, event.event);
    if (event.event === "actor_exited") count(this.#totals.exits, event.reason.kind);
    if (event.event === "actor_restarted") count(this.#totals.restarts, event.reason.kind);
  }
}

type Totals = Record<string, number>;
type Stats = NonNullable<TreeNode["stats"]>;

const NO_RATES = { handledPerSecond: 0, cpuPercent: undefined };

const EVENTS = [
  "actor_started",
  "actor_exited",
  "actor_restarted",
  "child_start_failed",
  "supervisor_escalated",
  "mailbox_full",
  "dead_letter",
  "guard_killed",
  "actor_zombie",
  "actor_quarantined",
  "memory_unattributed",
  "system_stopped",
  "node_up",
  "node_down",
  "node_suspect",
  "link_full",
  "lease_lost",
  "lease_regained",
  "engine_down",
  "engine_up",
] as const;

function count(totals: Totals, name: string): void {
  totals[name] = (totals[name] ?? 0) + 1;
}

function look(dossier: Dossier, stats: Stats, at: number) {
  const counters = countersOf(stats, at);
  const rates = ratesOf(dossier.looked, counters);
  dossier.looked = counters;
  return rates;
}

/** Adds a point to an actor's charts. Returns its messages per second. */
function chart(dossier: Dossier, stats: Stats, at: number, now: number): number {
  const counters = countersOf(stats, at);
  const { handledPerSecond, cpuPercent } = ratesOf(dossier.charted, counters);
  dossier.charted = counters;
  dossier.history.add(now, [stats.mailbox.length, handledPerSecond, stats.heapUsedMb, stats.offHeapMb, cpuPercent]);
  return handledPerSecond;
}
