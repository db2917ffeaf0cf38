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

/** What `startObserver` takes. */
export interface ObserverOptions {
  /** Where to listen. Default `"127.0.0.1"`. Reading needs no token: every client that reaches it sees the tree and the logs. */
  readonly host?: string;
  /** From 0 to 65 535. Default 0: one that is free. */
  readonly port?: number;
  /** What suspend, resume, restart and kill ask for. Default: a random one. */
  readonly token?: string;
  /** Names, or names with a port, that a proxy in front is asked for. Others than the server's own get 403. */
  readonly allowedHosts?: readonly string[];
  /** Whether the fields of log lines are shown, beside message and error. They may hold what your logger redacts. */
  readonly logFields?: boolean;
  /** What `/metrics` shows. Default: a registry with this system's metrics, and nothing else. */
  readonly registry?: Registry;
  /** In front of the names of the default registry's metrics. */
  readonly prefix?: string;
  /**
   * How long a client may take nothing of what it is sent, send nothing of its request, or be gone, before its connection
   * is ended; and how long an event stream has its place to itself when all places are taken. Default 10 000.
   */
  readonly readerTimeoutMs?: number;
}

export interface FullObserverOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly allowedHosts: readonly string[];
  readonly logFields: boolean;
  readonly registry: Registry | undefined;
  readonly prefix: string | undefined;
  readonly readerTimeoutMs: number;
}

const aHost = field(
  "a host name or an address",
  (value) => typeof value === "string" && /^[^\s\0]{1,255}$/.test(value),
);

const FIELDS: Fields = {
  host: aHost,
  port: integer(BOUNDS.port),
  // It travels in a header.
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
  readerTimeoutMs: integer(BOUNDS.readerTimeoutMs),
};

/** Throws ERR_INVALID_OPTION, which names the option, its value and what is allowed. */
export function fullOptions(options: ObserverOptions): FullObserverOptions {
  const taken = takeOptions("startObserver", options, FIELDS);
  const { host = "127.0.0.1", port = 0, token = randomBytes(16).toString("base64url"), registry, prefix } = taken;
  const { allowedHosts = [], logFields = false, readerTimeoutMs = 10_000 } = taken;
  return { host, port, token, allowedHosts, logFields, registry, prefix, readerTimeoutMs };
}
