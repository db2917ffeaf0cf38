import type { ServerResponse } from "node:http";
import type { ActorUpdate, Hello, HistoryUpdate, SkippedEvents } from "../ui/wire.js";
import type { Watch } from "./watch.js";

/**
 * A viewer with this much unsent data gets nothing new until it has taken it. Then it gets the number of events that it
 * missed.
 */
const UNSENT_BYTES = 64 * 1024;
const EVENTS_AT_ONCE = 200;
const LINES_AT_ONCE = 100;

export interface ViewerStart {
  /** The last event that it has got. */
  readonly eventSeq: number | undefined;
  /** The actor whose log and charts it shows. */
  readonly actor: string | undefined;
}

/**
 * One open event stream. It keeps the position of its client but no queue, because it reads from the watch what it
 * sends.
 */
export class Viewer {
  readonly #response: ServerResponse;
  readonly #watch: Watch;
  readonly #actor: string | undefined;
  #revision = 0;
  #eventSeq: number;
  #lineSeq = 0;
  #crashAt = 0;
  #points = 0;
  #actorPoints = 0;
  #actorTold = false;
  #processAt = 0;
  readonly #patienceMs: number;
  readonly #sinceMs = performance.now();
  #undrainedSinceMs: number | undefined;

  /** A client that does not take all that was sent within `patienceMs` counts as gone. */
  constructor(
    response: ServerResponse,
    watch: Watch,
    hello: Hello,
    { eventSeq, actor }: ViewerStart,
    patienceMs: number,
  ) {
    this.#patienceMs = patienceMs;
    this.#response = response;
    this.#watch = watch;
    this.#actor = actor;
    this.#eventSeq = eventSeq ?? Math.max(0, watch.events.seq - EVENTS_AT_ONCE);
    response.write(message("hello", JSON.stringify(hello)));
    this.flush();
  }

  /** Sends what is new, if the client has taken enough of the data before. */
  flush(): void {
    if (this.#response.destroyed || !this.#hasRoom()) return;
    const news = [...this.#events(), ...this.#tree(), ...this.#process(), ...this.#dossier(), ...this.#history()];
    if (news.length > 0) this.#response.write(news.join(""));
  }

  get ageMs(): number {
    return performance.now() - this.#sinceMs;
  }

  end(): void {
    this.#response.end();
  }

  /** Ends the stream without waiting for unsent data. */
  drop(): void {
    this.#response.destroy();
  }

  #hasRoom(): boolean {
    const unsent = this.#response.writableLength;
    if (unsent === 0) {
      this.#undrainedSinceMs = undefined;
      return true;
    }
    this.#undrainedSinceMs ??= performance.now();
    if (performance.now() - this.#undrainedSinceMs > this.#patienceMs) {
      this.drop();
      return false;
    }
    return unsent <= UNSENT_BYTES;
  }

  *#events(): Generator<string> {
    const { items, skipped } = this.#watch.events.since(this.#eventSeq, EVENTS_AT_ONCE);
    this.#eventSeq = this.#watch.events.seq;
    if (skipped > 0) yield message("skipped", JSON.stringify({ count: skipped } satisfies SkippedEvents));
    for (const item of items) yield `id: ${item.seq}\ndata: ${JSON.stringify(item)}\n\n`;
  }

  *#tree(): Generator<string> {
    const { revision } = this.#watch;
    if (revision === this.#revision) return;
    yield message("tree", this.#watch.update(this.#revision));
    this.#revision = revision;
  }

  *#process(): Generator<string> {
    const row = this.#watch.processRow;
    if (row === undefined || row.now === this.#processAt) return;
    this.#processAt = row.now;
    yield message("process", JSON.stringify(row));
  }

  *#history(): Generator<string> {
    const { history, dossiers } = this.#watch;
    const own = this.#actor === undefined ? undefined : dossiers.get(this.#actor)?.history;
    if (history.count === this.#points && (own?.count ?? 0) === this.#actorPoints) return;
    const update: HistoryUpdate = {
      process: history.since(this.#points),
      ...(own === undefined ? {} : { actor: own.since(this.#actorPoints) }),
    };
    this.#points = history.count;
    this.#actorPoints = own?.count ?? 0;
    yield message("history", JSON.stringify(update));
  }

  *#dossier(): Generator<string> {
    if (this.#actor === undefined) return;
    const dossier = this.#watch.dossiers.get(this.#actor);
    const { items = [], skipped = 0 } = dossier?.log.since(this.#lineSeq, LINES_AT_ONCE) ?? {};
    const crash = dossier?.crash;
    const isNews = items.length > 0 || (crash?.at ?? 0) !== this.#crashAt;
    if (this.#actorTold && !isNews) return;
    const update: ActorUpdate = {
      id: this.#actor,
      whole: !this.#actorTold,
      lines: items,
      skippedLines: skipped,
      ...(crash === undefined ? {} : { crash }),
    };
    this.#actorTold = true;
    this.#lineSeq = dossier?.log.seq ?? 0;
    this.#crashAt = crash?.at ?? 0;
    yield message("actor", JSON.stringify(update));
  }
}

function message(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
