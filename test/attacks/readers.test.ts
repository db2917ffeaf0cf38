import { connect, type Socket } from "node:net";
import { Gauge, Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { ask, observe } from "../observer/ask.js";
import type Patient from "../observer/fixtures/patient.actor.js";
import { EventStream } from "../observer/sse.js";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";

const MOST_VIEWERS = 32;
const READER_TIMEOUT_MS = 300;

interface Client {
  readonly socket: Socket;
  /** Of what came before it stopped to read. */
  readonly begun: Promise<void>;
  closed: boolean;
}

/** A client that writes `text`, and stops to read as soon as something comes. */
function stalled(url: string, text: string): Client {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  const begun = new Promise<void>((resolve) => {
    socket.once("data", () => {
      socket.pause();
      resolve();
    });
  });
  const client: Client = { socket, begun, closed: false };
  socket.on("close", () => {
    client.closed = true;
  });
  socket.write(text);
  return client;
}

const getting = (url: string, path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`;

/** A client that does not read learns of the end by writing. */
async function refusesMore({ socket }: Client, closed: () => boolean): Promise<void> {
  await eventually(() => {
    if (!closed()) socket.write("\r\n");
    return closed();
  });
}

// Promise: clients-do-nothing-keep
test("readers that stall keep no other out: after their time newcomers have their places", async () => {
  const system = await testSystem();
  const { url } = await observe(system, { readerTimeoutMs: READER_TIMEOUT_MS });
  const clients = Array.from({ length: MOST_VIEWERS }, () => stalled(url, getting(url, "/api/events")));
  await Promise.all(clients.map(({ begun }) => begun));
  const streams: EventStream[] = [];
  for (let i = 0; i < 3; i++) {
    await eventually(async () => {
      const stream = await EventStream.open(url);
      if (stream.status === 200) streams.push(stream);
      return stream.status === 200;
    });
  }
  await eventually(() => streams.every((stream) => stream.of("process").length > 0));
  await refusesMore(clients[0], () => clients[0].closed);
});

test("a reader that reads has its place for as long as there is room", async () => {
  const system = await testSystem();
  const { url } = await observe(system, { readerTimeoutMs: 50 });
  const stream = await EventStream.open(url);
  await eventually(() => stream.of("process").length > 3);
  expect(stream.ended).toBe(false);
});

// Promise: clients-do-nothing-keep
test("a reader that has not taken what it was sent is dropped, though there is room", async () => {
  const system = await testSystem();
  const { url } = await observe(system, { readerTimeoutMs: READER_TIMEOUT_MS });
  const actor = new URL("../observer/fixtures/patient.actor.js", import.meta.url);
  const patient = (await system.startChild<typeof Patient>({ id: "patient", actor })).with({ timeoutMs: 20_000 });
  const full = await system.startChild<typeof Patient>({
    id: "full",
    actor,
    mailbox: { capacity: 1, overflow: "drop_newest" },
  });
  await system.suspend(full);
  await full.cast("work");
  const client = stalled(url, getting(url, "/api/events?actor=root%2Fpatient"));
  await client.begun;
  // What the buffers of the operating system take is no news to the server: more than that has to come.
  await eventually(async () => {
    for (let i = 0; i < 20; i++) await patient.cast("sayFailure", "x".repeat(9000));
    await patient.call("work");
    await full.cast("work");
    if (!client.closed) client.socket.write("\r\n");
    return client.closed;
  }, 50_000);
}, 60_000);

test.each([
  ["nothing", ""],
  ["half a head", "GET /api/tree HTTP/1.1\r\nHost: "],
  [
    "half a body",
    "POST /api/actions HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer t\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
  ],
])("a connection on which %s has come is ended", async (_what, text) => {
  const system = await testSystem();
  const { url } = await observe(system, { readerTimeoutMs: 100, token: "t" });
  const client = stalled(url, text.replace("HOST", new URL(url).host));
  client.socket.resume();
  await eventually(() => client.closed);
});

// Promise: clients-do-nothing-keep
test("an answer that its client does not take is given up", async () => {
  const system = await testSystem();
  const registry = new Registry();
  // More than the buffers of the operating system take.
  new Gauge({ name: "large", help: "x".repeat(20 * 1024 * 1024), registers: [registry] });
  const { url } = await observe(system, { readerTimeoutMs: READER_TIMEOUT_MS, registry });
  const client = stalled(url, getting(url, "/metrics"));
  await client.begun;
  await refusesMore(client, () => client.closed);
  expect((await ask(url, "/metrics")).text.length).toBeGreaterThan(20 * 1024 * 1024);
}, 60_000);

// Promise: clients-do-nothing-keep
test("closing ends every connection, whatever it waits for", async () => {
  const system = await testSystem();
  const observer = await observe(system);
  const { url } = observer;
  const clients = [stalled(url, getting(url, "/api/events")), stalled(url, ""), stalled(url, "GET /")];
  await clients[0].begun;
  await observer.close();
  for (const client of clients) client.socket.resume();
  await eventually(() => clients.every(({ closed }) => closed));
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "10", null])(
  "readerTimeoutMs: %j is refused",
  async (readerTimeoutMs) => {
    const system = await testSystem();
    await expect(observe(system, { readerTimeoutMs: readerTimeoutMs as number })).rejects.toThrow(
      /startObserver: readerTimeoutMs=.*, must be a whole number from 1 to 3600000/,
    );
  },
);
