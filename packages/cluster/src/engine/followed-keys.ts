import type { Bucket, BucketEntry } from "./engine.js";

export interface FollowedKeysHost {
  /** Keys that are taken for being there. */
  known(): Iterable<string>;
  /** A key is as here, or gone: told, or found when all were read. */
  changed(key: string, entry: BucketEntry | undefined): void;
  /** All were read. */
  read?(): void;
  /** The bucket is another one, or behind: comes before all are read. */
  reset?(): void;
}

/** All are read again so long after the bucket did not answer. */
const READ_AGAIN_MS = 500;

/** The keys of a bucket with some beginnings: all are read first, and again after a gap in what is told of them. */
export class FollowedKeys {
  readonly #bucket: Bucket;
  readonly #prefixes: readonly string[];
  readonly #host: FollowedKeysHost;
  /** What was told of while all are read: the list may be older than that. */
  #told: Set<string> | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(bucket: Bucket, prefixes: readonly string[], host: FollowedKeysHost) {
    this.#bucket = bucket;
    this.#prefixes = prefixes;
    this.#host = host;
  }

  /** Resolves when all were read, or the bucket did not answer: then it is asked again. */
  async start(): Promise<void> {
    this.#bucket.watch(
      (key, entry) => this.#changed(key, entry),
      (isReset) => {
        if (isReset) this.#host.reset?.();
        void this.read();
      },
    );
    await this.read();
  }

  /** As `start`. Never rejects. */
  async read(): Promise<void> {
    this.stop();
    const told = new Set<string>();
    this.#told = told;
    const lists = await Promise.all(this.#prefixes.map((prefix) => this.#bucket.list(prefix))).catch(() => undefined);
    // A later look has begun.
    if (this.#told !== told) return;
    this.#told = undefined;
    if (lists === undefined) {
      this.#again = setTimeout(() => void this.read(), READ_AGAIN_MS).unref();
      return;
    }
    const entries = lists.flat();
    const keys = new Set(entries.map(({ key }) => key));
    for (const key of [...this.#host.known()]) if (!keys.has(key) && !told.has(key)) this.#host.changed(key, undefined);
    for (const entry of entries) if (!told.has(entry.key)) this.#host.changed(entry.key, entry);
    this.#host.read?.();
  }

  /** What was not answered is not asked again. */
  stop(): void {
    clearTimeout(this.#again);
    this.#again = undefined;
  }

  #changed(key: string, entry: BucketEntry | undefined): void {
    if (!this.#prefixes.some((prefix) => key.startsWith(prefix))) return;
    this.#told?.add(key);
    this.#host.changed(key, entry);
  }
}
