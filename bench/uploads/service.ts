// The service, in a process of its own. It says its port, and at the end how its actors ended.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { router, startSystem } from "@mini-otp/runtime";
import type Scanner from "./scanner.actor.js";

const system = await startSystem({ name: "uploads", logger: false, intensity: 10, periodMs: 60_000 });
const scanners = await system.startChild(
  router<typeof Scanner>({
    id: "scanners",
    actor: new URL("./scanner.actor.js", import.meta.url),
    size: 4,
    route: "least_loaded",
    heapCapMb: 64,
    offHeapCapMb: 64,
    handlerTimeoutMs: 1_000,
    intensity: 10,
    periodMs: 60_000,
  }),
);
system.on("actor_exited", ({ id, reason }) => console.log(JSON.stringify({ id, ended: reason.kind })));

const server = createServer(async (request, response) => {
  const upload = new Uint8Array(await buffer(request));
  const answer = await scanners
    .with({ timeoutMs: 30_000 })
    .call("scan", upload)
    .then(
      (found) => [200, JSON.stringify(found)] as const,
      (error: Error) => [422, error.message] as const,
    );
  response.writeHead(answer[0]).end(answer[1]);
}).listen(0, "127.0.0.1");
await once(server, "listening");
console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
