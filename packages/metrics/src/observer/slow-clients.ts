import { createServer, type Server, type ServerResponse } from "node:http";

/*
 * A client that does nothing costs a descriptor, and the memory of what it has not taken. Whoever can reach the port can
 * open many, so each has its time.
 */

/** Descriptors are the whole process's. */
const MOST_CONNECTIONS = 256;
/** In units of the time in which a client has to do something. */
const WHOLE_REQUEST = 3;
const WHOLE_ANSWER = 6;

/** A server that ends connections on which a request does not come, or which are gone without a word. */
export function impatientServer(readerTimeoutMs: number): Server {
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

/** The answer is complete: the client is to take it, some of it at a time, and all of it in the end. */
export function expectTaken(response: ServerResponse, readerTimeoutMs: number): void {
  const { socket } = response;
  if (socket === null || response.writableFinished || response.destroyed) return;
  // Node's own looks at what the operating system has taken since.
  socket.setTimeout(readerTimeoutMs);
  const timer = setTimeout(() => socket.destroy(), WHOLE_ANSWER * readerTimeoutMs).unref();
  response.once("close", () => clearTimeout(timer));
}
