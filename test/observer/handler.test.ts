import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ObserverHandler, type ObserverHandlerOptions, observerHandler } from "@mini-otp/metrics";
import type { ActorSystem } from "@mini-otp/runtime";
import express from "express";
import Fastify from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { testSystem } from "../support/system.js";
import { ask, observe } from "./ask.js";
import type Patient from "./fixtures/patient.actor.js";

const patient = new URL("./fixtures/patient.actor.js", import.meta.url);

interface Mounted {
  readonly handler: ObserverHandler;
  readonly url: string;
}

async function listening(server: Server, handler: ObserverHandler): Promise<Mounted> {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    handler.close();
    server.close();
    server.closeAllConnections();
  });
  return { handler, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** As the documentation says for each. */
const SERVERS: Readonly<Record<string, (system: ActorSystem) => Promise<Mounted>>> = {
  "node:http": (system) => {
    const handler = observerHandler(system, { path: "/observer" });
    const server = createServer((request, response) => {
      if (/^\/observer(?:[/?]|$)/.test(request.url ?? "")) handler(request, response);
      else response.end("the service");
    });
    return listening(server, handler);
  },
  express: (system) => {
    const handler = observerHandler(system);
    const app = express();
    app.use(express.json());
    app.use("/observer", handler);
    app.get("/", (_request, response) => void response.send("the service"));
    return listening(createServer(app), handler);
  },
  fastify: async (system) => {
    const handler = observerHandler(system, { path: "/observer" });
    const app = Fastify();
    app.get("/", () => "the service");
    app.register(async (scope) => {
      // The handler reads the bodies of its requests itself.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
      for (const path of ["/observer", "/observer/*"]) {
        scope.all(path, (request, reply) => {
          reply.hijack();
          handler(request.raw, reply.raw);
        });
      }
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    return listening(app.server, handler);
  },
};

describe.each(Object.keys(SERVERS))("mounted in %s", (name) => {
  test("the observer serves its page, its numbers, its events and its actions, beside the service", async () => {
    const system = await testSystem({ name: "clinic" });
    const actor = await system.startChild<typeof Patient>({ id: "patient", actor: patient });
    const { handler, url } = await SERVERS[name](system);
    expect((await ask(url, "/")).text).toBe("the service");
    expect(await ask(url, "/observer")).toMatchObject({ status: 308, headers: { location: "observer/" } });
    const page = await ask(url, "/observer/");
    expect(page.headers["content-type"]).toContain("text/html");
    const [, script] = /<script[^>]* src="([^"]+)"/.exec(page.text) ?? [];
    const asset = await ask(url, new URL(script, `${url}/observer/`).pathname);
    expect({ status: asset.status, type: asset.headers["content-type"] }).toMatchObject({
      status: 200,
      type: expect.stringContaining("javascript"),
    });
    expect((await ask(url, "/observer/metrics")).text).toContain("mini_otp_system_ready 1");
    expect((await ask(url, "/observer/api/tree")).json.children[0].id).toBe("root/patient");
    expect(await ask(url, "/observer/livez")).toMatchObject({ status: 200, json: { live: true, problems: [] } });
    const body = JSON.stringify({ action: "suspend", id: "root/patient" });
    const act = (token: string) =>
      ask(url, "/observer/api/actions", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body,
      });
    expect((await act("wrong")).status).toBe(401);
    expect((await act(handler.token)).json).toEqual({ done: "suspend", id: "root/patient" });
    expect(system.stats(actor).state).toBe("suspended");
    expect(await ask(url, "/observer/readyz")).toMatchObject({
      status: 503,
      json: { ready: false, problems: [{ id: "root/patient", problem: "suspended" }] },
    });
    expect((await ask(url, "/observer/nothing")).status).toBe(404);
  });
});

test("a mounted observer ends its event streams when it is closed, and when its system has stopped", async () => {
  const system = await testSystem();
  const { handler, url } = await SERVERS["node:http"](system);
  const open = async () => {
    const { body, status } = await fetch(`${url}/observer/api/events`);
    expect(status).toBe(200);
    return (body as ReadableStream<Uint8Array>).getReader();
  };
  const ended = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
    let done = false;
    while (!done)
      done = await reader.read().then(
        ({ done }) => done,
        () => true,
      );
    return true;
  };
  const closed = await open();
  await closed.read();
  handler.close();
  handler.close();
  expect(await ended(closed)).toBe(true);

  const second = await SERVERS["node:http"](system);
  const { body } = await fetch(`${second.url}/observer/api/events`);
  const stopped = (body as ReadableStream<Uint8Array>).getReader();
  await stopped.read();
  await system.stop();
  expect(await ended(stopped)).toBe(true);
});

test("a mounted observer refuses names that it does not know, and options that make no sense", async () => {
  const system = await testSystem();
  const { url } = await SERVERS["node:http"](system);
  const stranger = { headers: { host: "evil.example" } };
  expect((await ask(url, "/observer/api/tree", stranger)).status).toBe(403);
  // A prober comes by any name, and is told the status alone.
  expect(await ask(url, "/observer/readyz", stranger)).toMatchObject({
    status: 200,
    text: '{"live":true,"ready":true}',
  });
  const options = (options: unknown) => () => observerHandler(system, options as ObserverHandlerOptions);
  expect(options({ path: "observer" })).toThrow('observerHandler: path="observer", must be a path that begins with');
  expect(options({ port: 1 })).toThrow("no option port; there are:");
});

// Promise: probes-without-token
test("the observer answers /livez and /readyz without a token", async () => {
  const system = await testSystem();
  const { url } = await observe(system, { token: "secret" });
  expect(await ask(url, "/livez")).toMatchObject({ status: 200, json: { live: true, ready: true, problems: [] } });
  expect((await ask(url, "/readyz", { method: "HEAD" })).status).toBe(200);
  await system.stop();
  expect(await ask(url, "/livez")).toMatchObject({ status: 200 });
  expect(await ask(url, "/readyz")).toMatchObject({
    status: 503,
    json: { problems: [{ id: "root", problem: "stopped" }] },
  });
});
