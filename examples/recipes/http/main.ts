// A web service whose work is done by actors: 503 when all are busy, work that is given up with its client, and SIGTERM
// that loses no request. Usage: node main.js [port]
import type { AddressInfo } from "node:net";
import { handleSignals, isActorError, type RouterStats, resource, router, startSystem } from "@mini-otp/runtime";
import Fastify, { type FastifyReply } from "fastify";
import type Hasher from "./hasher.actor.js";

const port = Number(process.argv[2] ?? 0);
const system = await startSystem({ name: "http" });
handleSignals(system);

const hashers = await system.startChild(
  router<typeof Hasher>({
    id: "hashers",
    actor: new URL("./hasher.actor.js", import.meta.url),
    size: 2,
    route: "least_loaded",
    // A full mailbox is a refusal that the client hears of, not a queue that grows.
    mailbox: { capacity: 4, overflow: "reject" },
  }),
);

// Connections that wait for their next request do not hold up the end, and those of requests under way end with them.
const app = Fastify({ forceCloseConnections: "idle" });
let closing = false;
app.addHook("onSend", async (_request, reply) => {
  if (closing) reply.header("connection", "close");
});

app.post<{ Body: { password: string; salt: string } }>("/hash", async ({ body }, reply) => {
  const hungUp = new AbortController();
  reply.raw.once("close", () => hungUp.abort());
  try {
    const caller = hashers.with({ signal: hungUp.signal, timeoutMs: 20_000 });
    return { digest: await caller.call("hash", body.password, body.salt) };
  } catch (error) {
    return refuse(reply, error);
  }
});

/** Alive while main's event loop turns: an actor that hangs is its supervisor's business. */
app.get("/live", () => "ok");

/** Ready while the actors run. The method that each is handling shows which one hangs. */
app.get("/ready", (_request, reply) => {
  const { state, members } = hashers.stats() as RouterStats;
  return reply.code(state === "running" ? 200 : 503).send({ handling: members.map((member) => member?.handling) });
});

app.get("/counts", () => hashers.with({ timeoutMs: 20_000 }).callAll("counts"));

/** What the caller can do something about gets a status of its own. */
function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  if (isActorError(error, "ERR_MAILBOX_FULL")) {
    return reply.code(503).header("retry-after", "1").send({ error: "all hashers are busy" });
  }
  if (isActorError(error, "ERR_CALL_TIMEOUT")) return reply.code(504).send({ error: "it took too long" });
  throw error;
}

// The last child to start is the first to stop: the server takes no request that the actors would not finish.
await system.startChild(
  resource({
    id: "server",
    start: async ({ fail }) => {
      await app.listen({ port, host: "127.0.0.1" });
      app.server.on("error", fail);
      console.log(`listening on ${(app.server.address() as AddressInfo).port}`);
      return app;
    },
    stop(server) {
      closing = true;
      return server.close();
    },
  }),
);
