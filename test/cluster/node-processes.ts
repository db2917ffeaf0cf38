import { afterEach, beforeEach } from "vitest";
import { NatsServer } from "./nats-server.js";
import { NodeProcess } from "./node-process.js";

/** Half of the defaults' times and less; on a machine that is five times as slow no lease is lost but by what a test does. */
export const TIMES = {
  heartbeatMs: 250,
  goneAfterMs: 1000,
  downAfterMs: 4000,
  lease: { renewMs: 500, holdMs: 4000, takeOverMs: 6000 },
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
