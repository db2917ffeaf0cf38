import { PointSeries } from "./points.js";
import type {
  ActorUpdate,
  CrashRecord,
  EventRecord,
  Hello,
  HistoryUpdate,
  LogRecord,
  ProcessRow,
  Row,
  SkippedEvents,
  TreeUpdate,
} from "./wire.js";

const KEPT_LINES = 500;
const RETRY_MS = 2000;
/** The server sends something every second. After this long without, the connection counts as stale. */
const STALE_MS = 4000;

export type Change = "hello" | "tree" | "events" | "process" | "history" | "actor" | "connection";
export type Connection = "connecting" | "live" | "stale" | "lost";

/** The current state, by what the server has sent. */
export class Live {
  hello: Hello | undefined;
  system: TreeUpdate["system"] = "running";
  /** From top to bottom. */
  rows: readonly Row[] = [];
  process: ProcessRow | undefined;
  connection: Connection = "connecting";
  lines: readonly LogRecord[] = [];
  skippedLines = 0;
  crash: CrashRecord | undefined;
  readonly processPoints = new PointSeries();
  readonly actorPoints = new PointSeries();
  /** Not yet taken by `takeEvents`. */
  #events: EventRecord[] = [];
  #skipped = 0;
  #byId = new Map<string, Row>();
  #order: readonly string[] = [];
  #actor: string | undefined;
  #source: EventSource | undefined;
  #lastSeq = 0;
  #heardAt = 0;
  #clockOffsetMs = 0;
  #changes = new Set<Change>();
  readonly #listener: (changes: ReadonlySet<Change>) => void;

  /** `listener` is called at most once a frame. */
  constructor(listener: (changes: ReadonlySet<Change>) => void) {
    this.#listener = listener;
    // A hidden window closes its connection, because a browser has only a few.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#disconnect();
      else this.#connect();
    });
    setInterval(() => this.#checkPulse(), 1000);
    this.#connect();
  }

  /** The server's clock. */
  get now(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  row(id: string): Row | undefined {
    return this.#byId.get(id);
  }

  /** Selects the actor whose log and charts the server sends. */
  follow(actor: string | undefined): void {
    if (actor === this.#actor) return;
    this.#actor = actor;
    this.lines = [];
    this.skippedLines = 0;
    this.crash = undefined;
    this.actorPoints.clear();
    this.#disconnect();
    this.#connect();
  }

  takeEvents(): { readonly events: readonly EventRecord[]; readonly skipped: number } {
    const taken = { events: this.#events, skipped: this.#skipped };
    this.#events = [];
    this.#skipped = 0;
    return taken;
  }

  #connect(): void {
    if (this.#source !== undefined || document.hidden) return;
    const query = new URLSearchParams();
    if (this.#actor !== undefined) query.set("actor", this.#actor);
    if (this.#lastSeq > 0) query.set("since", String(this.#lastSeq));
    const source = new EventSource(`api/events?${query}`);
    this.#source = source;
    const on = <T>(name: string, take: (message: T) => Change) => {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        if (source !== this.#source) return;
        this.#heard();
        this.#changed(take(JSON.parse(data) as T));
      });
    };
    on("hello", (hello: Hello) => this.#greeted(hello));
    on("tree", (update: TreeUpdate) => this.#tree(update));
    on("message", (event: EventRecord) => this.#event(event));
    on("skipped", ({ count }: SkippedEvents) => {
      this.#skipped += count;
      return "events";
    });
    on("process", (row: ProcessRow) => {
      this.process = row;
      this.#clockOffsetMs = row.now - Date.now();
      return "process";
    });
    on("history", (update: HistoryUpdate) => this.#history(update));
    on("actor", (update: ActorUpdate) => this.#actorNews(update));
    source.addEventListener("error", () => this.#failed(source));
  }

  #disconnect(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  #failed(source: EventSource): void {
    if (source !== this.#source) return;
    this.connection = "lost";
    this.#changed("connection");
    // A browser does not reconnect after an answer that is not an event stream.
    if (source.readyState !== EventSource.CLOSED) return;
    this.#disconnect();
    setTimeout(() => this.#connect(), RETRY_MS);
  }

  #heard(): void {
    this.#heardAt = performance.now();
    if (this.connection === "live") return;
    this.connection = "live";
    this.#changed("connection");
  }

  #checkPulse(): void {
    if (this.connection !== "live" || document.hidden || performance.now() - this.#heardAt < STALE_MS) return;
    this.connection = "stale";
    this.#changed("connection");
  }

  #changed(change: Change): void {
    if (this.#changes.size === 0) {
      requestAnimationFrame(() => {
        const changes = this.#changes;
        this.#changes = new Set();
        this.#listener(changes);
      });
    }
    this.#changes.add(change);
  }

  #greeted(hello: Hello): Change {
    // A new process at the same address numbers its events from 1 again.
    if (hello.observedSince !== this.hello?.observedSince) this.#lastSeq = 0;
    this.hello = hello;
    this.#clockOffsetMs = hello.now - Date.now();
    return "hello";
  }

  #tree({ whole, order, rows, system }: TreeUpdate): Change {
    if (whole) {
      this.#byId.clear();
      performance.mark("tree-received");
    }
    for (const row of rows) this.#byId.set(row.id, row);
    if (order !== undefined) {
      this.#order = order;
      const present = new Set(order);
      for (const id of this.#byId.keys()) if (!present.has(id)) this.#byId.delete(id);
    }
    this.rows = this.#order.flatMap((id) => this.#byId.get(id) ?? []);
    this.system = system;
    return "tree";
  }

  #event(event: EventRecord): Change {
    if (event.seq > this.#lastSeq) {
      this.#lastSeq = event.seq;
      this.#events.push(event);
    }
    return "events";
  }

  #history({ process, actor }: HistoryUpdate): Change {
    this.processPoints.add(process);
    if (actor !== undefined) this.actorPoints.add(actor);
    return "history";
  }

  #actorNews({ whole, lines, skippedLines, crash }: ActorUpdate): Change {
    this.lines = [...(whole ? [] : this.lines), ...lines].slice(-KEPT_LINES);
    this.skippedLines = (whole ? 0 : this.skippedLines) + skippedLines;
    this.crash = crash;
    return "actor";
  }
}
