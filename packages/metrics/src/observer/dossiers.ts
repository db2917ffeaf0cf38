import type { LogLine, SystemEvent } from "@mini-otp/runtime";
import { ACTOR_SERIES, type CrashRecord, type LogRecord, type Row } from "../ui/wire.js";
import { crashRecord } from "./event-record.js";
import { History } from "./history.js";
import { logRecord, weightOf } from "./log-record.js";
import { Recent } from "./recent.js";
import type { Counters } from "./rows.js";
import { exitText } from "./text.js";

const LOG_LINES = 200;
const LOG_CHARS = 128 * 1024;
/** How many actors that are gone are kept. The one that went first is forgotten first. */
const KEPT_GONE = 100;

/** The data that is kept for one actor beside its current numbers. */
export class Dossier {
  readonly history = new History(ACTOR_SERIES.length);
  readonly log = new Recent<LogRecord>(LOG_LINES, LOG_CHARS);
  crash: CrashRecord | undefined;
  lastExit: Row["lastExit"];
  /** The counters at the last look, and (`charted`) at the last point of the history. */
  looked: Counters | undefined;
  charted: Counters | undefined;
}

/** The dossiers of all actors, including the last `KEPT_GONE` that are gone. */
export class Dossiers {
  readonly #byId = new Map<string, Dossier>();
  readonly #gone = new Set<string>();
  readonly #logFields: boolean;

  constructor(logFields: boolean) {
    this.#logFields = logFields;
  }

  get(id: string): Dossier | undefined {
    return this.#byId.get(id);
  }

  of(id: string): Dossier {
    let dossier = this.#byId.get(id);
    if (dossier === undefined) {
      dossier = new Dossier();
      this.#byId.set(id, dossier);
      // Counts as gone until the tree shows it.
      this.#gone.add(id);
    }
    return dossier;
  }

  logged(line: LogLine, at: number): void {
    const { log } = this.of(line.id);
    const record = logRecord(line, at, log.seq + 1, this.#logFields);
    log.add(() => record, weightOf(record));
  }

  happened(event: SystemEvent, at: number): void {
    if (event.event !== "actor_exited" && event.event !== "child_start_failed") return;
    const dossier = this.of(event.id);
    const crash = crashRecord(event, at);
    if (crash !== undefined) dossier.crash = crash;
    dossier.lastExit = { ...exitText(event.reason), at, failed: crash !== undefined };
  }

  /** Takes the paths of the actors that exist now. All others are gone. */
  present(ids: ReadonlySet<string>): void {
    for (const id of this.#byId.keys()) {
      if (ids.has(id)) this.#gone.delete(id);
      else this.#gone.add(id);
    }
    for (const id of this.#gone) {
      if (this.#gone.size <= KEPT_GONE) break;
      this.#gone.delete(id);
      this.#byId.delete(id);
    }
  }
}
