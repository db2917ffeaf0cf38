import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

export interface Refused {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export interface AccessRules {
  /** The address on which the server listens. */
  readonly host: string;
  /** Further values of `Host` that are accepted: names, or names with a port. */
  readonly allowedHosts: readonly string[];
}

/**
 * Refuses requests that another site may have caused. The `Host` must be one of the server's own: otherwise a page of
 * another site could reach the server by a name that it points here (DNS rebinding). A request that a page of another
 * site lets its visitor's browser send is refused too (CSRF).
 */
export function refusal(request: IncomingMessage, rules: AccessRules, isPage: boolean): Refused | undefined {
  const { host = "", origin } = request.headers;
  if (!isOwnHost(host, request.socket.localPort ?? 0, rules)) {
    return forbidden("ERR_HOST", "this server does not go by that Host");
  }
  if (origin !== undefined && !isSameOrigin(origin, host)) {
    return forbidden("ERR_ORIGIN", "requests from pages of another origin are refused");
  }
  const site = request.headers["sec-fetch-site"];
  const isFollowedLink = isPage && request.method === "GET" && request.headers["sec-fetch-mode"] === "navigate";
  if ((site === "cross-site" || site === "same-site") && !isFollowedLink) {
    return forbidden("ERR_ORIGIN", "requests from pages of another origin are refused");
  }
  return undefined;
}

function forbidden(code: string, message: string): Refused {
  return { status: 403, code, message };
}

function isOwnHost(header: string, listeningPort: number, { host, allowedHosts }: AccessRules): boolean {
  const asked = header.toLowerCase();
  const parts = /^(?<name>\[[0-9a-f:.]+\]|[^:[\]/@]+)(?::(?<port>\d{1,5}))?$/.exec(asked)?.groups;
  if (parts === undefined) return false;
  const { name, port = "80" } = parts;
  if (allowedHosts.some((allowed) => allowed.toLowerCase() === asked || allowed.toLowerCase() === name)) return true;
  if (Number(port) !== listeningPort) return false;
  const bare = name.replace(/^\[|\]$/g, "");
  if (bare === "localhost" || bare === host.toLowerCase() || isLoopback(bare)) return true;
  // An address is safe, because it cannot be pointed somewhere else.
  return isEveryAddress(host) && isIP(bare) !== 0;
}

function isLoopback(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

function isEveryAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function isSameOrigin(origin: string, host: string): boolean {
  try {
    const { protocol, host: from } = new URL(origin);
    if (protocol !== "http:" && protocol !== "https:") return false;
    return from === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}

/** Whether the request has the token, as `Authorization: Bearer <token>`. Takes the same time for every token. */
export function hasToken(request: IncomingMessage, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
