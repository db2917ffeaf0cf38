import type { Bucket, BucketEntry, Engine, KeptState } from "./engine.js";

interface Subscription {
  readonly pattern: readonly string[];
  readonly take: (subject: string, bytes: Uint8Array) => void;
}

/** What was in the bucket at a time. */
export interface BucketBackup {
  readonly entries: readonly BucketEntry[];
  readonly revision: number;
}

const EMPTY: BucketBackup = { entries: [], revision: 0 };
const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** A server for the engines of one process, with the faults that a network has. */
export class MemoryHub {
  readonly #engines = new Map<string, MemoryEngine>();
  readonly #entries = new Map<string, BucketEntry>();
  readonly #state = new Map<string, BucketEntry>();
  readonly #arriving: (() => void)[] = [];
  #groups: readonly (readonly string[])[] = [];
  #revision = 0;
  /** How often the bucket has been made anew. */
  #generation = 0;
  #scheduled = false;

  /** The engine of a node. One of this name that is there is cut off for ever, as by a kill. */
  connect(node: string): MemoryEngine {
    this.#engines.get(node)?.kill();
    const engine = new MemoryEngine(this, node);
    this.#engines.set(node, engine);
    return engine;
  }

  /** Whether a node of this name is there: it has not closed its engine, and was not killed. */
  has(node: string): boolean {
    return this.#engines.get(node)?.alive === true;
  }

  /** The process of a node is gone: nothing of it is sent or taken any more. */
  kill(node: string): void {
    this.#engines.get(node)?.kill();
    this.#engines.delete(node);
  }

  /** Cuts the network into these. The bucket is where the most are, at first where as many are as elsewhere. */
  partition(groups: readonly (readonly string[])[]): void {
    const cutOff = [...this.#engines.keys()].filter((node) => !this.#holdsBucket(node));
    this.#groups = groups;
    for (const node of cutOff) if (this.#holdsBucket(node)) this.#engines.get(node)?.missed();
  }

  /** The connection of a node to the server is lost, or there again. */
  setConnected(node: string, connected: boolean): void {
    this.#engines.get(node)?.setConnected(connected);
  }

  backUpBucket(): BucketBackup {
    return { entries: [...this.#entries.values()], revision: this.#revision };
  }

  /** The bucket is made anew, with what is in the backup. */
  restoreBucket({ entries, revision }: BucketBackup = EMPTY): void {
    this.#entries.clear();
    for (const entry of entries) this.#entries.set(entry.key, entry);
    this.#revision = revision;
    this.#generation++;
    for (const engine of this.#engines.values()) if (engine.connected) engine.missed();
  }

  /** @internal Undefined for one that does not reach the bucket. */
  generationFor(node: string): number | undefined {
    return this.#holdsBucket(node) ? this.#generation : undefined;
  }

  /** @internal */
  publish(from: string, subject: string, bytes: Uint8Array): void {
    const tokens = subject.split(".");
    const copy = bytes.slice();
    for (const [node, engine] of this.#engines) {
      if (!this.#reaches(from, node)) continue;
      // What is under way when the receiver loses its connection is lost.
      this.#soon(() => engine.take(tokens, subject, copy));
    }
  }

  /** @internal */
  listens(from: string, subject: string): boolean {
    const tokens = subject.split(".");
    return [...this.#engines].some(([node, engine]) => this.#reaches(from, node) && engine.listensTo(tokens));
  }

  /** @internal Answers as a server does that takes its time. */
  ask<T>(node: string, answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#soon(() => {
        if (this.#engines.get(node)?.connected !== true || !this.#holdsBucket(node)) reject(new Error("no answer"));
        else resolve(answer());
      });
    });
  }

  /** @internal */
  get entries(): ReadonlyMap<string, BucketEntry> {
    return this.#entries;
  }

  /** @internal */
  set(key: string, value: unknown): number {
    const entry = { key, value: structuredClone(value), revision: ++this.#revision };
    this.#entries.set(key, entry);
    this.#tell(key, entry);
    return entry.revision;
  }

  /** @internal */
  stateOf(node: string): KeptState {
    const entries = this.#state;
    return {
      read: (key) => this.ask(node, () => entries.get(key)),
      write: (key, value, revision) =>
        this.ask(node, () => {
          if (entries.get(key)?.revision !== revision) return undefined;
          const next = (revision ?? 0) + 1;
          entries.set(key, { key, value: structuredClone(value), revision: next });
          return next;
        }),
    };
  }

  /** @internal */
  delete(key: string): void {
    this.#revision++;
    this.#entries.delete(key);
    this.#tell(key, undefined);
  }

  #tell(key: string, entry: BucketEntry | undefined): void {
    for (const [node, engine] of this.#engines) {
      if (this.#holdsBucket(node)) this.#soon(() => engine.changed(key, entry));
    }
  }

  #reaches(from: string, to: string): boolean {
    return this.#groupOf(from) === this.#groupOf(to);
  }

  #groupOf(node: string): readonly string[] | undefined {
    return this.#groups.find((group) => group.includes(node));
  }

  #holdsBucket(node: string): boolean {
    const [first, ...others] = this.#groups;
    if (first === undefined) return true;
    const largest = others.reduce((most, group) => (group.length > most.length ? group : most), first);
    return this.#groupOf(node) === largest;
  }

  #soon(work: () => void): void {
    this.#arriving.push(work);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const next of this.#arriving.splice(0)) next();
    });
  }
}

/** One node's connection to a hub. */
export class MemoryEngine implements Engine {
  readonly found = "memory";
  readonly maxPayloadBytes = MAX_PAYLOAD_BYTES;
  readonly bucket: Bucket;
  readonly state: KeptState;
  readonly #hub: MemoryHub;
  readonly #node: string;
  readonly #subscriptions: Subscription[] = [];
  readonly #listeners: ((connected: boolean) => void)[] = [];
  readonly #watchers: {
    readonly change: (key: string, entry: BucketEntry | undefined) => void;
    readonly missed: (reset: boolean) => void;
  }[] = [];
  #generation: number;
  #connected = true;
  #alive = true;

  constructor(hub: MemoryHub, node: string) {
    this.#hub = hub;
    this.#node = node;
    this.#generation = hub.generationFor(node) ?? 0;
    this.state = hub.stateOf(node);
    this.bucket = {
      read: (key) => hub.ask(node, () => hub.entries.get(key)),
      write: (key, value, revision) =>
        hub.ask(node, () => (hub.entries.get(key)?.revision === revision ? hub.set(key, value) : undefined)),
      remove: (key, revision) =>
        hub.ask(node, () => {
          const isFirst = hub.entries.get(key)?.revision === revision;
          if (isFirst) hub.delete(key);
          return isFirst;
        }),
      list: (prefix) => hub.ask(node, () => [...hub.entries.values()].filter(({ key }) => key.startsWith(prefix))),
      watch: (change, missed) => this.#watchers.push({ change, missed }),
      behind: () => this.#missed(true),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  get connected(): boolean {
    return this.#connected && this.#alive;
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (this.connected) this.#hub.publish(this.#node, subject, bytes);
  }

  subscribe(subject: string, take: (subject: string, bytes: Uint8Array) => void): void {
    this.#subscriptions.push({ pattern: subject.split("."), take });
  }

  probe(subject: string): Promise<"unanswered" | "unknown"> {
    const isHeard = !this.connected || this.#hub.listens(this.#node, subject);
    return Promise.resolve(isHeard ? "unknown" : "unanswered");
  }

  onStatus(listener: (connected: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.kill();
  }

  /** @internal */
  kill(): void {
    this.#alive = false;
  }

  /** @internal */
  setConnected(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const listener of this.#listeners) listener(connected);
    if (connected) this.missed();
  }

  /** @internal The bucket has changed unseen. */
  missed(): void {
    const generation = this.#hub.generationFor(this.#node);
    if (generation === undefined) return;
    const isReset = generation !== this.#generation;
    this.#generation = generation;
    this.#missed(isReset);
  }

  #missed(isReset: boolean): void {
    for (const { missed } of this.#watchers) missed(isReset);
  }

  /** @internal */
  listensTo(tokens: readonly string[]): boolean {
    return this.#alive && this.#subscriptions.some(({ pattern }) => matches(pattern, tokens));
  }

  /** @internal */
  take(tokens: readonly string[], subject: string, bytes: Uint8Array): void {
    if (!this.connected) return;
    for (const { pattern, take } of this.#subscriptions) if (matches(pattern, tokens)) take(subject, bytes);
  }

  /** @internal */
  changed(key: string, entry: BucketEntry | undefined): void {
    if (this.connected) for (const { change } of this.#watchers) change(key, entry);
  }
}

function matches(pattern: readonly string[], tokens: readonly string[]): boolean {
  return pattern.length === tokens.length && pattern.every((part, i) => part === "*" || part === tokens[i]);
}
