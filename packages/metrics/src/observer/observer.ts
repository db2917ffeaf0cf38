import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { ActorSystem } from "@mini-otp/runtime";
import { requireSystem } from "@mini-otp/runtime/options";
import { Registry } from "prom-client";
import { type RegisteredMetrics, registerMetrics } from "../prometheus/prometheus.js";
import type { Hello } from "../ui/wire.js";
import type { AccessRules } from "./access.js";
import { readAssets } from "./assets.js";
import { Nodes } from "./nodes.js";
import {
  type FullObserverOptions,
  fullHandlerOptions,
  fullOptions,
  type ObserverHandlerOptions,
  type ObserverOptions,
} from "./options.js";
import { refuse } from "./replies.js";
import { answer, type Site } from "./routes.js";
import { expectTaken, serverWithLimits } from "./slow-clients.js";
import { Viewers } from "./viewers.js";
import { Watch } from "./watch.js";

/** A live page that is being served. */
export interface Observer extends AsyncDisposable {
  /** For example `http://127.0.0.1:41234`. */
  readonly url: string;
  /** The token that actions require. `${url}/#token=${token}` opens the page with it. */
  readonly token: string;
  /** Ends all connections and stops observing. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves a live page of the system at `/`, and its data: `/metrics` for Prometheus, `/api/tree`, and `/api/events`, a
 * stream of server-sent events. It reads shared memory and listens to the system on main, and sends no message to an
 * actor. It does not keep the process alive, and goes on after the system has stopped, until `close`.
 *
 * Rejects with ERR_INVALID_OPTION, and with Node's error when the port is taken.
 */
export async function startObserver(system: ActorSystem, options: ObserverOptions = {}): Promise<Observer> {
  requireSystem("startObserver", system);
  const full = fullOptions(options);
  const { site, close: closeSite } = openSite(system, full, { host: full.host, allowedHosts: full.allowedHosts });
  const server = serverWithLimits(full.readerTimeoutMs);
  try {
    server.listen(full.port, full.host);
    await once(server, "listening");
  } catch (error) {
    closeSite();
    throw error;
  }
  const { address, port, family } = server.address() as AddressInfo;
  server.on("request", async (request, response) => {
    await serve(site, request, response);
    if (response.writableEnded) expectTaken(response, full.readerTimeoutMs);
  });
  server.on("connection", (socket) => socket.unref());
  server.unref();

  let closing: Promise<void> | undefined;
  const close = async () => {
    closeSite();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const observer: Observer = {
    url: `http://${family === "IPv6" ? `[${reachable(address)}]` : reachable(address)}:${port}`,
    token: full.token,
    close: () => {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]: () => observer.close(),
  };
  return observer;
}

/** The observer without a server of its own. */
export interface ObserverHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  /** The token that actions require. `#token=${token}` at the end of the page's address opens it with the token. */
  readonly token: string;
  /** Ends the open event streams and stops observing. It happens by itself when the system has stopped. Idempotent. */
  close(): void;
}

/**
 * The observer as a handler to mount in another server: `node:http`, express (`app.use("/observer", handler)`), fastify. It
 * serves what `startObserver` does, `/livez` and `/readyz` among it. A server that does not take the prefix off, as
 * express does, says it by `path`. Access to the page is the other server's business; a request whose `Host` is a name,
 * other than localhost, is refused unless `allowedHosts` has the name. Its connections are the other server's too, so call
 * `close` before that server waits for the last of them.
 *
 * Throws ERR_INVALID_OPTION.
 */
export function observerHandler(system: ActorSystem, options: ObserverHandlerOptions = {}): ObserverHandler {
  requireSystem("observerHandler", system);
  const { path, ...full } = fullHandlerOptions(options);
  // Its addresses are not known here, so it may be every one.
  const { site, close } = openSite(system, full, { host: "0.0.0.0", allowedHosts: full.allowedHosts });
  void system.terminated.then(close);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { originalUrl } = request as { originalUrl?: string };
    const asked = request.url ?? "/";
    const isBelow = path !== "" && (asked === path || asked.startsWith(`${path}/`) || asked.startsWith(`${path}?`));
    const rest = isBelow ? asked.slice(path.length) : asked;
    const mount = (isBelow ? asked : (originalUrl ?? "/")).split("?", 1)[0];
    // The page's links are relative, so its address has to end in a slash.
    if ((rest === "" || rest === "/" || rest.startsWith("?") || rest.startsWith("/?")) && !mount.endsWith("/")) {
      response.writeHead(308, { location: `${mount.slice(mount.lastIndexOf("/") + 1)}/` }).end();
      return;
    }
    void serve(site, request, response, rest);
  };
  return Object.assign(handle, { token: full.token, close });
}

/** What is served, and what ends that. */
function openSite(
  system: ActorSystem,
  full: Omit<FullObserverOptions, "host" | "port">,
  access: AccessRules,
): { readonly site: Site; readonly close: () => void } {
  const own = full.registry === undefined ? ownMetrics(system, full.prefix) : undefined;
  const watch = new Watch(system, full.logFields);
  const nodes = full.nodes === undefined ? undefined : new Nodes(full.nodes);
  const greeting = (): Hello => ({ ...hello(system, watch), ...(nodes === undefined ? {} : { nodes: true }) });
  const viewers = new Viewers(watch, greeting, full.readerTimeoutMs);
  const registry = full.registry ?? (own as RegisteredMetrics).registry;
  let isClosed = false;
  return {
    site: { system, watch, nodes, viewers, registry, assets: readAssets(), access, token: full.token },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      viewers.close();
      watch.close();
      own?.unregister();
    },
  };
}

async function serve(site: Site, request: IncomingMessage, response: ServerResponse, url?: string): Promise<void> {
  try {
    await answer(site, request, response, url ?? request.url ?? "");
  } catch (error) {
    if (response.headersSent || response.destroyed) response.destroy();
    else refuse(response, { status: 500, code: "ERR_INTERNAL", message: String(error) });
  }
}

function ownMetrics(system: ActorSystem, prefix: string | undefined): RegisteredMetrics {
  return registerMetrics(system, { registry: new Registry(), ...(prefix === undefined ? {} : { prefix }) });
}

function hello(system: ActorSystem, watch: Watch): Hello {
  return {
    now: Date.now(),
    name: system.name,
    pid: process.pid,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    host: hostname(),
    observedSince: watch.since,
  };
}

/** For "every address", one that a client can connect to. */
function reachable(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}
