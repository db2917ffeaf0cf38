import { afterEach, beforeEach } from "vitest";
import { NatsServer } from "./nats-server.js";
import { NodeProcess } from "./node-process.js";

/** Half of the defaults' times and less: proportions are theirs. */
export const TIMES = {
  heartbeatMs: 250,
  goneAfterMs: 500,
  downAfterMs: 3000,
  lease: { renewMs: 500, holdMs: 2000, takeOverMs: 3200 },
};

/** A nats-server for each test of the file, and nodes in processes of their own, all ended after it. */
export function nodeProcesses() {
  let server: NatsServer;
  let started: NodeProcess[] = [];
  beforeEach(async () => {
    started = [];
    server = await NatsServer.start();
  });
  afterEach(async () => {
    await Promise.all(started.map((node) => node[Symbol.asyncDispose]()));
    // Where nats-server is missing, none was started.
    await (server as NatsServer | undefined)?.[Symbol.asyncDispose]();
  });
  return {
    get server(): NatsServer {
      return server;
    },
    async join(node: string, options: object = {}): Promise<NodeProcess> {
      const child = await NodeProcess.start();
      started.push(child);
      await child.do("join", { cluster: "shop", node, servers: [server.url], ...TIMES, ...options });
      return child;
    },
  };
}
