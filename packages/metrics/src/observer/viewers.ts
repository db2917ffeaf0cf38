import type { IncomingMessage, ServerResponse } from "node:http";
import type { Hello } from "../ui/wire.js";
import { Viewer, type ViewerStart } from "./viewer.js";
import type { Watch } from "./watch.js";

/** With viewers, everything is sampled; without any, only the charts go on. */
const LOOK_MS = 500;
const UNWATCHED_LOOK_MS = 1000;
/** A look may take this share of main's time: in a large system there are fewer. */
const LOOK_SHARE = 0.05;
/** Events are sent together that come within: */
const EVENTS_MS = 100;
/** A browser has six connections to a server, and each window of the page takes one. */
const MOST_VIEWERS = 32;

/** The open event streams, and the timer that looks for them. */
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
   * The stream that a newcomer takes the place of. What the operating system has taken says nothing about a reader: a
   * few MB wait in its buffers, and a peer whose machine is gone looks the same. A browser whose stream ends opens
   * another by itself, so nobody who reads is kept out, and nobody who does not keeps others out.
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
