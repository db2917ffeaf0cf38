import { createServer, type Server, type ServerResponse } from "node:http";

/*
 * An idle client costs a descriptor, and the memory of the data that it has not taken. Anyone with access to the port
 * can open many connections, so each has a time limit.
 */

/** A limit, because the whole process shares its descriptors. */
const MOST_CONNECTIONS = 256;
/** The limit for a whole request, in units of `readerTimeoutMs`. */
const WHOLE_REQUEST = 3;
const WHOLE_ANSWER = 6;

/** A server that ends a connection when no request arrives, or when the client is gone without closing it. */
export function serverWithLimits(readerTimeoutMs: number): Server {
  const server = createServer({
    headersTimeout: readerTimeoutMs,
    requestTimeout: WHOLE_REQUEST * readerTimeoutMs,
    connectionsCheckingInterval: Math.ceil(readerTimeoutMs / 2),
    keepAlive: true,
    keepAliveInitialDelay: readerTimeoutMs,
  });
  server.maxConnections = MOST_CONNECTIONS;
  return server;
}

/**
 * Call it when the answer is complete. The client must take some of it within each period, and all of it in the end.
 */
export function expectTaken(response: ServerResponse, readerTimeoutMs: number): void {
  const { socket } = response;
  if (socket === null || response.writableFinished || response.destroyed) return;
  // Node's timeout restarts whenever the operating system takes more data.
  socket.setTimeout(readerTimeoutMs);
  const timer = setTimeout(() => socket.destroy(), WHOLE_ANSWER * readerTimeoutMs).unref();
  response.once("close", () => clearTimeout(timer));
}
