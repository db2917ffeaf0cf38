import type { IncomingMessage, ServerResponse } from "node:http";
import type { Hello } from "../ui/wire.js";
import { Viewer, type ViewerStart } from "./viewer.js";
import type { Watch } from "./watch.js";

/**
 * How often the system is looked at while there are viewers. Without viewers only the charts go on, and more slowly.
 */
const LOOK_MS = 500;
const UNWATCHED_LOOK_MS = 1000;
/** The share of main's time that looks may take. In a large system there are fewer looks. */
const LOOK_SHARE = 0.05;
/** Events that come within this time are sent together. */
const EVENTS_MS = 100;
/** More than one browser needs: it opens six connections to a server at most, and each window of the page takes one. */
const MOST_VIEWERS = 32;

/** The open event streams, and the timer of the looks. */
export class Viewers {
  readonly #watch: Watch;
  readonly #hello: () => Hello;
  readonly #patienceMs: number;
  /** The oldest first. */
  readonly #viewers = new Set<Viewer>();
  #lookTimer: NodeJS.Timeout | undefined;
  #eventTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(watch: Watch, hello: () => Hello, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#watch = watch;
    this.#hello = hello;
    watch.onEvent = () => this.#eventHappened();
    this.#schedule(0);
  }

  get full(): boolean {
    return this.#viewers.size >= MOST_VIEWERS && this.#replaceable === undefined;
  }

  /**
   * The stream that makes room for a new one. It is the oldest, and not one that reads nothing, because the server
   * cannot tell: a few MB fit in the buffers of the operating system, and a peer whose machine is gone looks the same.
   * A browser whose stream ends opens another by itself. So a client that reads gets its place back, and a client that
   * does not read cannot keep others out.
   */
  get #replaceable(): Viewer | undefined {
    const [oldest] = this.#viewers;
    return oldest !== undefined && oldest.ageMs >= this.#patienceMs ? oldest : undefined;
  }

  add(request: IncomingMessage, response: ServerResponse, start: ViewerStart): void {
    request.socket.setNoDelay(true);
    if (this.#watch.ageMs > LOOK_MS) this.#watch.look();
    if (this.#viewers.size >= MOST_VIEWERS) this.#replace();
    const viewer = new Viewer(response, this.#watch, this.#hello(), start, this.#patienceMs);
    this.#viewers.add(viewer);
    response.on("close", () => this.#viewers.delete(viewer));
    if (this.#viewers.size === 1) this.#schedule(0);
  }

  #replace(): void {
    const viewer = this.#replaceable;
    if (viewer === undefined) return;
    this.#viewers.delete(viewer);
    viewer.drop();
  }

  #eventHappened(): void {
    if (this.#viewers.size === 0 || this.#closed) return;
    this.#eventTimer ??= setTimeout(() => {
      this.#eventTimer = undefined;
      this.#flush();
    }, EVENTS_MS).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#eventTimer);
    for (const viewer of this.#viewers) viewer.end();
  }

  #schedule(tookMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#lookTimer);
    const pauseMs = this.#viewers.size === 0 ? UNWATCHED_LOOK_MS : LOOK_MS;
    this.#lookTimer = setTimeout(() => this.#look(), Math.max(pauseMs, tookMs / LOOK_SHARE)).unref();
  }

  #look(): void {
    const startedMs = performance.now();
    this.#watch.look();
    this.#flush();
    this.#schedule(performance.now() - startedMs);
  }

  #flush(): void {
    for (const viewer of this.#viewers) viewer.flush();
  }
}
