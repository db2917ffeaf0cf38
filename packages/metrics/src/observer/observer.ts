import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { ActorSystem } from "@mini-otp/runtime";
import { requireSystem } from "@mini-otp/runtime/options";
import { Registry } from "prom-client";
import { type RegisteredMetrics, registerMetrics } from "../prometheus/prometheus.js";
import type { Hello } from "../ui/wire.js";
import { readAssets } from "./assets.js";
import { type FullObserverOptions, fullOptions, type ObserverOptions } from "./options.js";
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
  const assets = readAssets();
  const own = full.registry === undefined ? ownMetrics(system, full) : undefined;
  const server = serverWithLimits(full.readerTimeoutMs);
  server.listen(full.port, full.host);
  await once(server, "listening");
  const { address, port, family } = server.address() as AddressInfo;

  const watch = new Watch(system, full.logFields);
  const viewers = new Viewers(watch, () => hello(system, watch), full.readerTimeoutMs);
  const { token, allowedHosts } = full;
  const site: Site = {
    system,
    watch,
    viewers,
    registry: full.registry ?? (own as RegisteredMetrics).registry,
    assets,
    access: { host: full.host, allowedHosts },
    token,
  };
  server.on("request", (request, response) => void serve(site, request, response, full.readerTimeoutMs));
  server.on("connection", (socket) => socket.unref());
  server.unref();

  let closing: Promise<void> | undefined;
  const close = async () => {
    viewers.close();
    watch.close();
    own?.unregister();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const observer: Observer = {
    url: `http://${family === "IPv6" ? `[${reachable(address)}]` : reachable(address)}:${port}`,
    token,
    close: () => {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]: () => observer.close(),
  };
  return observer;
}

async function serve(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  readerTimeoutMs: number,
): Promise<void> {
  try {
    await answer(site, request, response);
    if (response.writableEnded) expectTaken(response, readerTimeoutMs);
  } catch (error) {
    if (response.headersSent || response.destroyed) response.destroy();
    else refuse(response, { status: 500, code: "ERR_INTERNAL", message: String(error) });
  }
}

function ownMetrics(system: ActorSystem, { prefix }: FullObserverOptions): RegisteredMetrics {
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
