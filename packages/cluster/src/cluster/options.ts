import { type Fields, field, integer, isListOf, isRecord, isText, takeOptions } from "@mini-otp/runtime/options";
import { invalidOption } from "@mini-otp/worker-host/protocol/errors";
import { type Filled, group, numberFrom, required, secret } from "@mini-otp/worker-host/protocol/options";
import { NODE_NAME } from "../nodes/node-name.js";

/** What a node is in its cluster, whatever the cluster runs on. */
export interface ClusterOptions {
  /** Nodes of one name find each other: `[a-z0-9-]{1,32}`. */
  readonly cluster: string;
  /** This node's name, which no other of the cluster has: `[a-z0-9-]{1,32}`. */
  readonly node: string;
  /** The application's own facts, which other nodes see. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The application's version, which other nodes see. Default: empty. */
  readonly version?: string | undefined;
  /** What other nodes may do here. */
  readonly allow?: AllowOptions | undefined;
  /** Actor modules that other nodes may start here, by the names that they ask for. Default: none. */
  readonly offers?: Readonly<Record<string, URL>> | undefined;
  /** The most bytes that a message to another node may have. Default 8 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /**
   * To so many actors of one other node this one keeps references; each takes some KB. Those beyond lead to nothing. An actor that
   * is gone for good counts no more. Default 16 384.
   */
  readonly maxReferences?: number | undefined;
  /** What may be under way to each remote actor. */
  readonly window?: WindowOptions | undefined;
  /** How often nodes say that they are there. Default 1 000. */
  readonly heartbeatMs?: number | undefined;
  /** A node is gone when nothing listens for it for so long. Default 2 000. */
  readonly goneAfterMs?: number | undefined;
  /** A node is down when nothing was heard of it for so long. Default 8 000. */
  readonly downAfterMs?: number | undefined;
  /** What a node owns, it owns while it holds its lease. */
  readonly lease?: LeaseOptions | undefined;
}

/** What other nodes may do here. */
export interface AllowOptions {
  /** Nodes whose actors may end actors here by an exit signal; `"*"` for all. Default: none. Links work without it. */
  readonly exit?: readonly string[] | undefined;
  /** Nodes that may start here what `offers` has; `"*"` for all. Default: none. */
  readonly start?: readonly string[] | undefined;
  /** Nodes whose observer may show this node's tree; `"*"` for all. Default: none. */
  readonly observe?: readonly string[] | undefined;
}

/** What may be under way to each remote actor. */
export interface WindowOptions {
  /** Messages that the actor's node has not taken. Default 4 096. */
  readonly messages?: number | undefined;
  /** Their bytes. Default 1 048 576. */
  readonly bytes?: number | undefined;
}

/** What a node owns, it owns while it holds its lease. */
export interface LeaseOptions {
  /** How often the lease is renewed. Default 2 000. */
  readonly renewMs?: number | undefined;
  /** What a node owns ends so long after its last renewal: at least twice `renewMs`. Default 8 000. */
  readonly holdMs?: number | undefined;
  /**
   * What a node owned may be taken by others when they saw its lease unchanged for so long: at least 1.5 times `holdMs`.
   * Default 12 000.
   */
  readonly takeOverMs?: number | undefined;
}

/** What `joinCluster` takes. */
export interface NatsOptions extends ClusterOptions {
  /** As `nats://host:4222` or `tls://host:4222`. */
  readonly servers: readonly string[];
  /** One of these; none for a server that asks for nothing. */
  readonly auth?: AuthOptions | undefined;
  /** For `tls://` servers whose certificate is not of a public authority, or that ask for one of the node's. */
  readonly tls?: TlsOptions | undefined;
  /** Of the bucket, from 1 to 5; more than 1 wants a server from 2.10 on. Default 1. */
  readonly replicas?: number | undefined;
}

/** How a node says to the servers which it is: by one of these. */
export interface AuthOptions {
  /** Path of a `.creds` file. */
  readonly creds?: string | undefined;
  /** Seed of an nkey. */
  readonly nkeySeed?: string | undefined;
  /** Name of a user, with `pass`. */
  readonly user?: string | undefined;
  /** Password of `user`. */
  readonly pass?: string | undefined;
  /** A token. */
  readonly token?: string | undefined;
}

/** Files in PEM. */
export interface TlsOptions {
  /** Path of the authority's certificate. */
  readonly caFile?: string | undefined;
  /** Path of the node's certificate. */
  readonly certFile?: string | undefined;
  /** Path of the key of `certFile`. */
  readonly keyFile?: string | undefined;
}

/** How a node leaves. */
export interface LeaveOptions {
  /** How long what is left may take. Default 20 000. */
  readonly timeoutMs?: number | undefined;
}

export const aNodeName = field(
  "a text of 1 to 32 of a-z, 0-9 and -",
  (value) => isText(value) && NODE_NAME.test(value),
);
const aText = field("a text of at most 256 characters", (value) => isText(value) && value.length <= 256);
const someMs = numberFrom(10, 3_600_000, "milliseconds");

const NODE_FIELDS: Fields = {
  labels: field(
    "an object of at most 32 texts of at most 256 characters each",
    (value) =>
      isRecord(value) &&
      Object.keys(value).length <= 32 &&
      Object.entries(value).every(([key, label]) => key.length <= 256 && isText(label) && label.length <= 256),
    (value) => ({ ...value }),
  ),
  version: aText,
  allow: group({
    exit: field('a list of names of nodes, or "*"', isListOf(isText), (list) => [...list]),
    start: field('a list of names of nodes, or "*"', isListOf(isText), (list) => [...list]),
    observe: field('a list of names of nodes, or "*"', isListOf(isText), (list) => [...list]),
  }),
  offers: field(
    "an object of URLs",
    (value) => isRecord(value) && Object.values(value).every((offer) => offer instanceof URL),
    (value) => ({ ...value }),
  ),
  maxMessageBytes: integer([1024, 512 * 2 ** 20]),
  maxReferences: integer([16, 1_000_000]),
  window: group({ messages: integer([128, 4096]), bytes: integer([64 * 1024, 64 * 2 ** 20]) }),
  heartbeatMs: someMs,
  goneAfterMs: someMs,
  downAfterMs: someMs,
  lease: group({ renewMs: someMs, holdMs: someMs, takeOverMs: someMs }),
};

const FIELDS: Fields = { cluster: required(aNodeName), node: required(aNodeName), ...NODE_FIELDS };

const LEAVE_FIELDS: Fields = {
  timeoutMs: field("milliseconds, 0 or more", (value) => typeof value === "number" && value >= 0),
};

const aPath = field("the path of a file", (value) => isText(value) && value.length > 0);
const aSecret = secret(field("a text", (value) => isText(value) && value.length > 0));

const NATS_FIELDS: Fields = {
  ...FIELDS,
  servers: required(
    field(
      'a list of at least one URL, as "nats://host" or "tls://host", with a port or without',
      (value) => isListOf(isServer)(value) && value.length > 0,
      (list) => [...list],
    ),
  ),
  auth: group({ creds: aPath, nkeySeed: aSecret, user: aText, pass: aSecret, token: aSecret }),
  tls: group({ caFile: aPath, certFile: aPath, keyFile: aPath }),
  replicas: integer([1, 5]),
};

export interface FullOptions {
  readonly cluster: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: string;
  readonly allowExit: readonly string[];
  readonly allowStart: readonly string[];
  readonly allowObserve: readonly string[];
  readonly offers: Readonly<Record<string, URL>>;
  readonly maxMessageBytes: number;
  readonly maxReferences: number;
  readonly window: { readonly messages: number; readonly bytes: number };
  readonly heartbeatMs: number;
  readonly goneAfterMs: number;
  readonly downAfterMs: number;
  readonly lease: { readonly renewMs: number; readonly holdMs: number; readonly takeOverMs: number };
}

export function takeNatsOptions(given: NatsOptions): { readonly nats: NatsOptions; readonly full: FullOptions } {
  const nats = takeOptions("joinCluster", given, NATS_FIELDS);
  return { nats, full: fullOptions("joinCluster", nats) };
}

export function takeClusterOptions(given: ClusterOptions): FullOptions {
  return fullOptions("joinCluster", takeOptions("joinCluster", given, FIELDS));
}

/** What a node is given by the function `what`, without its names; `more` has what else that function takes. Throws ERR_INVALID_OPTION. */
export function takeNodeOptions<T extends Omit<ClusterOptions, "cluster" | "node">>(
  what: string,
  given: T,
  more: Fields = {},
): T {
  return takeOptions(what, given, { ...more, ...NODE_FIELDS });
}

/** Throws ERR_INVALID_OPTION. */
export function takeLeaveOptions(given: LeaveOptions): Filled<LeaveOptions> {
  const { timeoutMs = 20_000 } = takeOptions("leave", given, LEAVE_FIELDS);
  return { timeoutMs };
}

/** Completes checked options, which are the function's `what`. Throws ERR_INVALID_OPTION for numbers that do not go together. */
export function fullOptions(what: string, taken: ClusterOptions): FullOptions {
  const { cluster, node, labels = {}, version = "", allow, maxMessageBytes = 8 * 2 ** 20 } = taken;
  const { maxReferences = 16_384, heartbeatMs = 1000, goneAfterMs = 2000, downAfterMs = 8000 } = taken;
  const { messages = 4096, bytes = 1024 * 1024 } = taken.window ?? {};
  const { renewMs = 2000, holdMs = 8000, takeOverMs = 12_000 } = taken.lease ?? {};
  atLeast(what, "downAfterMs", downAfterMs, 2 * heartbeatMs, "twice heartbeatMs");
  atLeast(what, "lease.holdMs", holdMs, 2 * renewMs, "twice lease.renewMs");
  // Clocks that differ by less than that are no danger.
  atLeast(what, "lease.takeOverMs", takeOverMs, 1.5 * holdMs, "1.5 times lease.holdMs");
  return {
    cluster,
    node,
    labels,
    version,
    allowExit: allow?.exit ?? [],
    allowStart: allow?.start ?? [],
    allowObserve: allow?.observe ?? [],
    offers: taken.offers ?? {},
    maxMessageBytes,
    maxReferences,
    window: { messages, bytes },
    heartbeatMs,
    goneAfterMs,
    downAfterMs,
    lease: { renewMs, holdMs, takeOverMs },
  };
}

function atLeast(what: string, name: string, value: number, least: number, inWords: string): void {
  if (value >= least) return;
  const allowed = `${inWords} or more, which is ${least}`;
  const facts = { function: what, field: name, value, allowed };
  throw invalidOption(`${what}: ${name}=${value}, must be ${allowed}`, facts);
}

function isServer(value: unknown): boolean {
  if (!isText(value)) return false;
  try {
    const { protocol, hostname } = new URL(value);
    return ["nats:", "tls:"].includes(protocol) && hostname !== "";
  } catch {
    return false;
  }
}
