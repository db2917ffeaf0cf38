import { randomBytes } from "node:crypto";
import type { Registry } from "prom-client";
import { checkOptions } from "../known-options.js";

export interface ObserverOptions {
  /** Where to listen. Default `"127.0.0.1"`. Reading needs no token: whoever reaches it sees the tree and the logs. */
  readonly host?: string;
  /** Default 0: one that is free. */
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

const NAMES = ["host", "port", "token", "allowedHosts", "logFields", "registry", "prefix", "readerTimeoutMs"];
const LONGEST_READER_TIMEOUT_MS = 3_600_000;

/** Throws TypeError, which names the option, its value and what is allowed. */
export function fullOptions(options: ObserverOptions): FullObserverOptions {
  checkOptions("startObserver", options, NAMES);
  const { host = "127.0.0.1", port = 0, token = randomBytes(16).toString("base64url"), registry, prefix } = options;
  const { allowedHosts = [], logFields = false, readerTimeoutMs = 10_000 } = options;
  const isText = (value: unknown) => typeof value === "string" && value !== "";
  check(isText(host), "host", host, "a host name or an address");
  check(Number.isInteger(port) && port >= 0 && port <= 65_535, "port", port, "a whole number from 0 to 65535");
  // It travels in a header. It is a secret, so the error does not show it.
  check(isText(token) && /^[\x21-\x7e]+$/.test(token), "token", "…", "printable ASCII without spaces, not empty");
  check(Array.isArray(allowedHosts) && allowedHosts.every(isText), "allowedHosts", allowedHosts, "a list of names");
  check(typeof logFields === "boolean", "logFields", logFields, "true or false");
  check(
    Number.isInteger(readerTimeoutMs) && readerTimeoutMs >= 1 && readerTimeoutMs <= LONGEST_READER_TIMEOUT_MS,
    "readerTimeoutMs",
    readerTimeoutMs,
    `a whole number of milliseconds from 1 to ${LONGEST_READER_TIMEOUT_MS}`,
  );
  return { host, port, token, allowedHosts, logFields, registry, prefix, readerTimeoutMs };
}

function check(isValid: boolean, option: string, value: unknown, allowed: string): void {
  if (!isValid) throw new TypeError(`startObserver: ${option}=${String(value)}: must be ${allowed}`);
}
