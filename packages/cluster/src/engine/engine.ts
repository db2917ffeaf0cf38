/** Where frames go and come from, and where what must be agreed on is kept. */
export interface Engine {
  /** What it is, for errors: its name and version. */
  readonly found: string;
  readonly connected: boolean;
  /** The most bytes of one message. */
  readonly maxPayloadBytes: number;
  /** Only while connected: else it is lost without a word. */
  publish(subject: string, bytes: Uint8Array): void;
  /** `subject` may have `*` for a token. */
  subscribe(subject: string, take: (subject: string, bytes: Uint8Array) => void): void;
  /** Whether anything listens there; "unknown" when nothing says that nothing does. */
  probe(subject: string): Promise<"unanswered" | "unknown">;
  onStatus(listener: (connected: boolean) => void): void;
  /** Resolves when what was published has reached the server. */
  flush(): Promise<void>;
  close(): Promise<void>;
  readonly bucket: Bucket;
  /** Another one, of which no changes are told. It is there when it is first asked. */
  readonly state: KeptState;
}

/** What is kept for as long as it is wanted; as of `Bucket`. */
export type KeptState = Pick<Bucket, "read" | "write">;

/** A key of a bucket, its JSON value, and the revision of its last write: a whole number that grows with each write. */
export interface BucketEntry {
  readonly key: string;
  readonly value: unknown;
  readonly revision: number;
}

/** Keys and JSON values, changed by compare-and-set. Each rejects when what has become of it is not known. */
export interface Bucket {
  read(key: string): Promise<BucketEntry | undefined>;
  /** At this revision, or where there is no such key. Resolves to the new revision; undefined when another was first. */
  write(key: string, value: unknown, revision: number | undefined): Promise<number | undefined>;
  /** At this revision. False when another was first. */
  remove(key: string, revision: number): Promise<boolean>;
  /** All keys with this beginning. */
  list(prefix: string): Promise<BucketEntry[]>;
  /**
   * Tells of every change, in order; `entry` is undefined when the key is gone. After a gap, `missed` is called; `reset` says
   * that the bucket is another one, or behind what was told before: its revisions begin again.
   */
  watch(change: (key: string, entry: BucketEntry | undefined) => void, missed: (reset: boolean) => void): void;
  /**
   * Another node has found the bucket behind. This one cannot always see that itself: what others have written since may be more
   * than what was lost. `missed` is called with a reset.
   */
  behind(): void;
}
