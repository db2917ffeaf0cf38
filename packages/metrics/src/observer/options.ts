import { randomBytes } from "node:crypto";
import {
  BOUNDS,
  type Fields,
  field,
  flag,
  integer,
  isListOf,
  isText,
  secret,
  takeOptions,
} from "@mini-otp/runtime/options";
import type { Registry } from "prom-client";
import { aPrefix, aRegistry } from "../prometheus/options.js";
import type { NodesSource } from "./nodes.js";

/** What `startObserver` takes. */
export interface ObserverOptions {
  /**
   * The address to listen on. Default `"127.0.0.1"`. Reading needs no token: every client that reaches the server sees
   * the tree and the logs.
   */
  readonly host?: string | undefined;
  /** From 0 to 65 535. Default 0: any free port. */
  readonly port?: number | undefined;
  /** The token that suspend, resume, restart and kill require. Default: a random one. */
  readonly token?: string | undefined;
  /**
   * Names, or names with a port, under which a proxy serves the page. A request for any other name than these and the
   * server's own gets 403.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Whether the fields of log lines are shown, beside message and error. They may hold values that your logger redacts.
   */
  readonly logFields?: boolean | undefined;
  /** The registry that `/metrics` shows. Default: one with this system's metrics, and nothing else. */
  readonly registry?: Registry | undefined;
  /** The prefix of the metrics' names in the default registry. */
  readonly prefix?: string | undefined;
  /** `cluster.observed`, for the trees of the cluster's other nodes. Default: this system's only. */
  readonly nodes?: NodesSource | undefined;
  /**
   * The connection of a client is ended when for this long the client takes no data, sends no part of its request, or
   * is gone. It is also how long an event stream keeps its place when all places are taken. Default 10 000.
   */
  readonly readerTimeoutMs?: number | undefined;
}

/** What `observerHandler` takes: what `startObserver` does, but for the address, which is the other server's. */
export interface ObserverHandlerOptions extends Omit<ObserverOptions, "host" | "port"> {
  /** Where the other server has mounted it, as `"/observer"`, if it leaves that in front of `request.url`. Default `""`. */
  readonly path?: string | undefined;
}

export interface FullObserverOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly allowedHosts: readonly string[];
  readonly logFields: boolean;
  readonly registry: Registry | undefined;
  readonly prefix: string | undefined;
  readonly nodes: NodesSource | undefined;
  readonly readerTimeoutMs: number;
}

const aHost = field(
  "a host name or an address",
  (value) => typeof value === "string" && /^[^\s\0]{1,255}$/.test(value),
);

const aPath = field(
  'a path that begins with "/" and does not end with it, or ""',
  (value) => isText(value) && /^(?:\/[^\s?#]*[^\s?#/])?$/.test(value),
);

const FIELDS: Fields = {
  host: aHost,
  port: integer(BOUNDS.port),
  // A token is sent in a header.
  token: secret(
    field("printable ASCII without spaces, not empty", (value) => isText(value) && /^[\x21-\x7e]{1,1024}$/.test(value)),
  ),
  allowedHosts: field(
    "a list of names",
    isListOf((name) => isText(name) && name !== ""),
    (list) => [...list],
  ),
  logFields: flag,
  registry: aRegistry,
  prefix: aPrefix,
  nodes: field("the nodes of a cluster: cluster.observed", isSource),
  readerTimeoutMs: integer(BOUNDS.readerTimeoutMs),
};

/** Throws ERR_INVALID_OPTION, which names the option, its value and what is allowed. */
export function fullOptions(options: ObserverOptions): FullObserverOptions {
  const taken = takeOptions("startObserver", options, FIELDS);
  const { host = "127.0.0.1", port = 0 } = taken;
  return { host, port, ...siteOptions(taken) };
}

/** The same for `observerHandler`. */
export function fullHandlerOptions(options: ObserverHandlerOptions) {
  const { host: _, port: __, ...fields } = FIELDS;
  const taken = takeOptions("observerHandler", options, { ...fields, path: aPath });
  return { path: taken.path ?? "", ...siteOptions(taken) };
}

function siteOptions(taken: ObserverHandlerOptions): Omit<FullObserverOptions, "host" | "port"> {
  const { token = randomBytes(16).toString("base64url"), registry, prefix, nodes } = taken;
  const { allowedHosts = [], logFields = false, readerTimeoutMs = 10_000 } = taken;
  return { token, allowedHosts, logFields, registry, prefix, nodes, readerTimeoutMs };
}

function isSource(value: unknown): boolean {
  const { list, page } = (value ?? {}) as Partial<Record<keyof NodesSource, unknown>>;
  return typeof list === "function" && typeof page === "function";
}
