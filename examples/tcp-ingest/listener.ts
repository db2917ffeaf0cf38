import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Connection } from "./connection.js";
import type { Take } from "./intake.js";

export interface Listener {
  readonly port: number;
  readonly accepted: number;
  readonly pauses: number;
  /** Refuses new connections, and lets those that are open finish with the line they are at. */
  stop(): Promise<void>;
}

export async function listen(port: number, take: Take, fail: (error: Error) => void): Promise<Listener> {
  const open = new Set<Connection>();
  const closed = { accepted: 0, pauses: 0 };
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new Connection(socket, take);
    open.add(connection);
    socket.on("close", () => {
      open.delete(connection);
      closed.accepted += connection.accepted;
      closed.pauses += connection.pauses;
    });
  });
  server.on("error", fail);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const sum = (of: "accepted" | "pauses") => [...open].reduce((total, each) => total + each[of], closed[of]);

  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return sum("accepted");
    },
    get pauses() {
      return sum("pauses");
    },
    async stop() {
      server.close();
      await Promise.all([...open].map((connection) => connection.stop()));
    },
  };
}
