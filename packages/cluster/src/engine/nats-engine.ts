/*
 * All that touches nats.js: no other file imports it, so that another of its versions is a change here alone. The connection,
 * the bucket as it is found or made, and the engine over both stay together therefore, in more lines than files here have.
 */
import { readFile } from "node:fs/promises";
import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import type { Filled } from "@mini-otp/worker-host/protocol/options";
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import {
  type Authenticator,
  AuthorizationError,
  credsAuthenticator,
  headers,
  type Msg,
  type NatsConnection,
  nkeyAuthenticator,
  PermissionViolationError,
  RequestError,
  tokenAuthenticator,
  UserAuthenticationExpiredError,
  usernamePasswordAuthenticator,
} from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import type { Bucket, BucketEntry, Engine, KeptState } from "./engine.js";

export interface NatsEngineOptions {
  readonly cluster: string;
  readonly node: string;
  readonly servers: readonly string[];
  readonly auth?:
    | {
        readonly creds?: string | undefined;
        readonly nkeySeed?: string | undefined;
        readonly user?: string | undefined;
        readonly pass?: string | undefined;
        readonly token?: string | undefined;
      }
    | undefined;
  readonly tls?:
    | {
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
      }
    | undefined;
  readonly replicas?: number | undefined;
}

type Warn = (facts: Record<string, unknown>, message: string) => void;

const WRONG_LAST_SEQUENCE = 10071;
const STREAM_NOT_FOUND = 10059;
/** Compare-and-set of a bucket with replicas lets several win before it: see nats-server#4320. */
const REPLICAS_SINCE = [2, 10] as const;
const PROBE_TIMEOUT_MS = 500;
const ASK_TIMEOUT_MS = 2000;
/** A change that no one was told of is found after so long. */
const COMPARE_EVERY_MS = 10_000;
/** When the bucket does not answer it is looked whether it is there, so often at most. */
const LOOK_EVERY_MS = 500;
/** Keys that are asked for before the first has been answered. */
const READ_AT_ONCE = 64;
/** A bucket keeps a marker of each key that was removed: it is taken out after so long, with others. */
const ERASE_AFTER_MS = 1000;
/** Markers that are kept in mind for that; those beyond are found by the next list. */
const MOST_MARKERS = 4096;

/** Rejects with ERR_CLUSTER_AUTH, and with ERR_CLUSTER_ENGINE for a server that cannot be reached, or lacks what is needed. */
export async function connectNats(options: NatsEngineOptions, warn: Warn): Promise<NatsEngine> {
  const connection = await connected(options);
  const { version } = connection.info ?? { version: "of no version" };
  const found = `nats-server ${version}`;
  try {
    return new NatsEngine(connection, await openBucket(connection, options, found), options, found, warn);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function connected(options: NatsEngineOptions): Promise<NatsConnection> {
  const { node, servers, auth, tls } = options;
  try {
    return await connect({
      // A copy: `connect` writes into what it is given.
      servers: [...servers],
      name: `mini-otp ${node}`,
      inboxPrefix: `_R.${node}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 100,
      pingInterval: 2000,
      maxPingOut: 2,
      timeout: 5000,
      noAsyncTraces: true,
      ignoreAuthErrorAbort: true,
      ...(auth === undefined ? {} : { authenticator: await authenticatorOf(auth) }),
      // The checker of the options has left out the fields that were undefined.
      ...(tls === undefined ? {} : { tls: tls as Filled<typeof tls> }),
    });
  } catch (error) {
    const isAuth = error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
    const facts = { servers, node, cause: error };
    const why = (error as Error).message;
    if (isAuth) throw new ActorError("ERR_CLUSTER_AUTH", `joinCluster: node=${node} is refused: ${why}`, facts);
    const message = `joinCluster: no connection to ${servers.join(", ")}: ${why}`;
    throw new ActorError("ERR_CLUSTER_ENGINE", message, { ...facts, found: "nothing", needed: "a nats-server" });
  }
}

async function authenticatorOf(auth: NonNullable<NatsEngineOptions["auth"]>): Promise<Authenticator> {
  if (auth.creds !== undefined) return credsAuthenticator(await readFile(auth.creds));
  if (auth.nkeySeed !== undefined) return nkeyAuthenticator(new TextEncoder().encode(auth.nkeySeed));
  if (auth.token !== undefined) return tokenAuthenticator(auth.token);
  return usernamePasswordAuthenticator(auth.user ?? "", auth.pass);
}

/** A bucket as it was found: a server that has lost it may make another of its name, and count from the start. */
interface Found {
  readonly kv: KV;
  readonly created: string;
  readonly lastSequence: number;
}

async function openBucket(nc: NatsConnection, options: NatsEngineOptions, found: string): Promise<Found> {
  const { cluster, replicas = 1 } = options;
  const name = bucketOf(cluster);
  if (replicas > 1 && !isSince(nc.info?.version, REPLICAS_SINCE)) throw replicasRefused(found, replicas);
  const kvm = new Kvm(jetstream(nc, { timeout: ASK_TIMEOUT_MS }));
  const republish = { src: `$KV.${name}.>`, dest: `motp.${cluster}.kv.>` };
  let bucket: KV;
  try {
    // An administrator may have made it, and this node may not be allowed to.
    bucket = await kvm.open(name);
    await bucket.status();
  } catch {
    try {
      bucket = await kvm.create(name, { history: 1, storage: "file", replicas, republish } as never);
    } catch (error) {
      const why = (error as Error).message;
      const needed = `JetStream, and the bucket ${name} or the permission to make it`;
      const message = `joinCluster: ${found} has no bucket ${name} and does not make it: ${why}; needed: ${needed}`;
      throw new ActorError("ERR_CLUSTER_ENGINE", message, { found, needed, cause: error });
    }
  }
  const { streamInfo } = await bucket.status();
  const { num_replicas: there, republish: told } = streamInfo.config;
  if (there > 1 && !isSince(nc.info?.version, REPLICAS_SINCE)) throw replicasRefused(found, there);
  if (told?.dest !== republish.dest) {
    const needed = `republish from ${republish.src} to ${republish.dest}`;
    const message = `joinCluster: the bucket ${name} tells of no changes; needed: ${needed}`;
    throw new ActorError("ERR_CLUSTER_ENGINE", message, { found, needed });
  }
  const { created, state } = streamInfo;
  return { kv: bucket, created: String(created), lastSequence: state.last_seq };
}

/** What entities save: no node follows its changes. An administrator may have made it. */
async function openState(nc: NatsConnection, { cluster, replicas = 1 }: NatsEngineOptions): Promise<KV> {
  const kvm = new Kvm(jetstream(nc, { timeout: ASK_TIMEOUT_MS }));
  const name = `${bucketOf(cluster)}-state`;
  try {
    const kv = await kvm.open(name);
    await kv.status();
    return kv;
  } catch {
    return kvm.create(name, { history: 1, storage: "file", replicas } as never);
  }
}

function bucketOf(cluster: string): string {
  return `motp-${cluster}`;
}

function replicasRefused(found: string, replicas: number): ActorError {
  const needed = "nats-server 2.10 or later, or replicas: 1";
  const message = `joinCluster: replicas=${replicas}: ${found} lets several win where one may; needed: ${needed}`;
  return new ActorError("ERR_CLUSTER_ENGINE", message, { found, needed, replicas });
}

function isSince(version: string | undefined, [major, minor]: readonly [number, number]): boolean {
  const [theirs = 0, of = 0] = (version ?? "").split(".").map(Number);
  return theirs > major || (theirs === major && of >= minor);
}

interface Watcher {
  readonly change: (key: string, entry: BucketEntry | undefined) => void;
  readonly missed: (reset: boolean) => void;
}

/** A connection to NATS. */
export class NatsEngine implements Engine {
  readonly found: string;
  readonly maxPayloadBytes: number;
  readonly bucket: Bucket;
  readonly state: KeptState;
  readonly #nc: NatsConnection;
  readonly #options: NatsEngineOptions;
  readonly #warn: Warn;
  readonly #listeners: ((connected: boolean) => void)[] = [];
  readonly #watchers: Watcher[] = [];
  readonly #js: JetStreamClient;
  readonly #keyPrefix: string;
  readonly #stream: string;
  readonly #comparing: NodeJS.Timeout;
  #connected = true;
  #closing = false;
  #kv: KV;
  #state: Promise<KV> | undefined;
  #created: string;
  /** The largest of the bucket's changes that is known of. */
  #sequence: number;
  #comparingNow = false;
  #isBehind = false;
  #comparedAt = -Infinity;
  /** Sequences of the markers of removed keys. */
  #markers: number[] = [];
  #erasing: NodeJS.Timeout | undefined;
  #mayErase = true;

  constructor(nc: NatsConnection, bucket: Found, options: NatsEngineOptions, found: string, warn: Warn) {
    const { cluster } = options;
    this.found = found;
    this.#options = options;
    this.#kv = bucket.kv;
    this.#created = bucket.created;
    this.#sequence = bucket.lastSequence;
    this.maxPayloadBytes = nc.info?.max_payload ?? 1024 * 1024;
    this.#nc = nc;
    this.#js = jetstream(nc, { timeout: ASK_TIMEOUT_MS });
    this.#warn = warn;
    this.#keyPrefix = `motp.${cluster}.kv.`;
    this.#stream = `KV_${bucketOf(cluster)}`;
    this.bucket = {
      read: (key) => this.#asked(async () => shortEntry(key, await this.#kv.get(key))),
      write: (key, value, revision) => this.#asked(() => writeTo(this.#kv, key, value, revision)),
      remove: (key, revision) => this.#asked(() => this.#remove(key, revision)),
      list: (prefix) => this.#asked(() => this.#list(prefix)),
      watch: (change, missed) => void this.#watchers.push({ change, missed }),
      behind: () => {
        this.#isBehind = true;
        void this.#compare();
      },
    };
    this.state = {
      read: async (key) => entryOf(key, await (await this.#openState()).get(key)),
      write: async (key, value, revision) => writeTo(await this.#openState(), key, value, revision),
    };
    nc.subscribe(`${this.#keyPrefix}>`, { callback: (_error, message) => this.#changed(message) });
    this.#comparing = setInterval(() => void this.#compare(), COMPARE_EVERY_MS).unref();
    void this.#followStatus();
  }

  get connected(): boolean {
    return this.#connected && !this.#closing;
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (!this.connected) return;
    try {
      this.#nc.publish(subject, bytes);
    } catch (error) {
      // It is sent again by the link, or not missed: a heartbeat.
      if (!this.#nc.isClosed()) this.#warn({ subject, err: error }, "NATS does not take a message");
    }
  }

  subscribe(subject: string, take: (subject: string, bytes: Uint8Array) => void): void {
    this.#nc.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) take(message.subject, message.data);
        else this.#warn({ subject, err: error }, `NATS refuses the subscription of ${subject}`);
      },
    });
  }

  async probe(subject: string): Promise<"unanswered" | "unknown"> {
    try {
      await this.#nc.request(subject, undefined, { timeout: PROBE_TIMEOUT_MS });
      return "unknown";
    } catch (error) {
      const found = error instanceof RequestError && error.isNoResponders();
      return found ? "unanswered" : "unknown";
    }
  }

  onStatus(listener: (connected: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async flush(): Promise<void> {
    if (this.connected) await this.#nc.flush();
  }

  async close(): Promise<void> {
    clearInterval(this.#comparing);
    clearTimeout(this.#erasing);
    if (this.#closing) return;
    if (this.#connected) await this.#nc.flush().catch(() => {});
    this.#closing = true;
    await this.#nc.close();
  }

  async #followStatus(): Promise<void> {
    for await (const { type, ...facts } of this.#nc.status()) {
      if (type === "disconnect") this.#setConnected(false);
      else if (type === "reconnect") this.#setConnected(true);
      else if (type === "error" && !this.#closing) this.#warn({ ...facts }, "NATS says that something is not allowed");
    }
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected || this.#closing) return;
    this.#connected = connected;
    for (const listener of this.#listeners) listener(connected);
    if (!connected) return;
    this.#missed(false);
    void this.#compare();
  }

  /** Why a bucket does not answer is worth a look. */
  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() - this.#comparedAt > LOOK_EVERY_MS) void this.#compare();
      throw error;
    }
  }

  #manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.#nc, { timeout: ASK_TIMEOUT_MS, checkAPI: false });
  }

  /** Asked again when it was not to be had. */
  #openState(): Promise<KV> {
    this.#state ??= openState(this.#nc, this.#options).catch((error: unknown) => {
      this.#state = undefined;
      throw error;
    });
    return this.#state;
  }

  async #list(prefix: string): Promise<BucketEntry[]> {
    const beginning = `$KV.${bucketOf(this.#options.cluster)}.`;
    // One question. `keys()` of the client follows the changes, and does not come to an end while there are any.
    const manager = await this.#manager();
    const { state } = await manager.streams.info(this.#stream, { subjects_filter: `${beginning}${prefix}>` });
    const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(beginning.length));
    const entries: BucketEntry[] = [];
    for (let i = 0; i < keys.length; i += READ_AT_ONCE) {
      const some = keys.slice(i, i + READ_AT_ONCE).map(async (key) => {
        const found = await this.#kv.get(key);
        if (found !== null && found.operation !== "PUT") this.#eraseSoon(found.revision);
        return shortEntry(key, found);
      });
      for (const entry of await Promise.all(some)) if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** Others are told by the marker, which stays in the bucket until it is erased. */
  async #remove(key: string, revision: number): Promise<boolean> {
    const marker = headers();
    marker.set("KV-Operation", "DEL");
    const subject = `$KV.${bucketOf(this.#options.cluster)}.${key}`;
    const publish = this.#js.publish(subject, "", { headers: marker, expect: { lastSubjectSequence: revision } });
    const ack = await first(publish);
    if (ack !== undefined) this.#eraseSoon(ack.seq);
    return ack !== undefined;
  }

  #eraseSoon(marker: number): void {
    if (!this.#mayErase || this.#closing || this.#markers.length >= MOST_MARKERS) return;
    this.#markers.push(marker);
    this.#erasing ??= setTimeout(() => void this.#erase(), ERASE_AFTER_MS).unref();
  }

  /** One that has been overwritten meanwhile, or erased by another node, is not there. */
  async #erase(): Promise<void> {
    const manager = await this.#manager();
    const erase = (marker: number): Promise<unknown> =>
      manager.streams.deleteMessage(this.#stream, marker, false).catch((error: unknown) => {
        if (error instanceof PermissionViolationError) this.#mayErase = false;
      });
    while (this.#markers.length > 0 && this.#mayErase && this.connected) {
      await Promise.all(this.#markers.splice(0, READ_AT_ONCE).map(erase));
    }
    this.#erasing = undefined;
    if (this.#mayErase) return;
    this.#markers = [];
    const permission = `$JS.API.STREAM.MSG.DELETE.${this.#stream}`;
    this.#warn({ permission }, "markers of removed keys stay in the bucket: this node may not erase them");
  }

  #changed({ subject, headers, data }: Msg): void {
    const sequence = Number(headers?.get("Nats-Sequence"));
    if (!Number.isSafeInteger(sequence) || sequence <= 0) return;
    const isNext = sequence === this.#sequence + 1;
    // One that was counted already comes from a look that was faster, or from a bucket that is behind.
    const isKnown = sequence <= this.#sequence;
    this.#sequence = Math.max(this.#sequence, sequence);
    const key = subject.slice(this.#keyPrefix.length);
    const operation = headers?.get("KV-Operation") ?? "";
    const entry = operation === "" ? entryIn(key, short(data), sequence) : undefined;
    for (const { change } of this.#watchers) change(key, entry);
    if (isKnown) void this.#compare();
    else if (!isNext) this.#missed(false);
  }

  /** Finds changes that were not told, and a bucket that is another one or behind. */
  async #compare(): Promise<void> {
    if (!this.connected || this.#watchers.length === 0 || this.#comparingNow) return;
    this.#comparingNow = true;
    this.#comparedAt = performance.now();
    // It grows while the answer is under way.
    const known = this.#sequence;
    try {
      const manager = await this.#manager();
      const { created, state } = await manager.streams.info(this.#stream);
      if (String(created) !== this.#created || state.last_seq < known || this.#isBehind) {
        this.#reset(String(created), state.last_seq);
      } else if (state.last_seq > this.#sequence) {
        this.#sequence = state.last_seq;
        this.#missed(false);
      }
    } catch (error) {
      // What cannot be asked now is asked in ten seconds.
      if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) await this.#makeAnew();
    } finally {
      this.#comparingNow = false;
    }
  }

  async #makeAnew(): Promise<void> {
    try {
      const { kv, created, lastSequence } = await openBucket(this.#nc, this.#options, this.found);
      this.#kv = kv;
      this.#reset(created, lastSequence);
    } catch (error) {
      this.#warn({ err: error }, "the bucket of the cluster is gone: no node owns anything until it is there again");
    }
  }

  #reset(created: string, lastSequence: number): void {
    this.#warn({ stream: this.#stream }, "the bucket of the cluster is another one, or behind: all nodes join again");
    this.#created = created;
    this.#sequence = lastSequence;
    this.#isBehind = false;
    this.#missed(true);
  }

  #missed(reset: boolean): void {
    for (const { missed } of this.#watchers) missed(reset);
  }
}

interface FoundEntry {
  readonly operation: string;
  readonly value: Uint8Array;
  readonly revision: number;
}

function short(bytes: Uint8Array): Uint8Array {
  return bytes.length > MOST_VALUE_BYTES ? new Uint8Array(0) : bytes;
}

function shortEntry(key: string, found: FoundEntry | null): BucketEntry | undefined {
  return entryOf(key, found, short);
}

function entryOf(key: string, found: FoundEntry | null, cut = (bytes: Uint8Array) => bytes): BucketEntry | undefined {
  return found === null || found.operation !== "PUT" ? undefined : entryIn(key, cut(found.value), found.revision);
}

/** Of the cluster's keys; one that is longer is no entry. */
const MOST_VALUE_BYTES = 16 * 1024;

/** What is no JSON is no entry, from wherever it is. */
function entryIn(key: string, bytes: Uint8Array, revision: number): BucketEntry {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    value = undefined;
  }
  return { key, value, revision };
}

async function writeTo(kv: KV, key: string, value: unknown, revision: number | undefined): Promise<number | undefined> {
  const bytes = JSON.stringify(value);
  return first(revision === undefined ? kv.create(key, bytes) : kv.update(key, bytes, revision));
}

/** Undefined when another was first. */
async function first<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return undefined;
    throw error;
  }
}
