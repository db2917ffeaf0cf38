import { type EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ActorRef, PartitionedSupervisorRef } from "@mini-otp/runtime";
import mqtt from "mqtt";
import { expect, test, vi } from "vitest";
import { eventually } from "../support/eventually.js";
import { startProgram } from "../support/program.js";
import { brokerModule, heardBy, startBroker } from "./mqtt-broker.js";

vi.setConfig({ testTimeout: 30_000 });

test("the properties of version 5 arrive as they were published, and what has expired does not", async () => {
  const broker = await startBroker();
  const away = {
    protocolVersion: 5,
    clientId: "away",
    clean: false,
    properties: { sessionExpiryInterval: 60 },
  } as const;
  const subscriber = await broker.client(away);
  await subscriber.subscribeAsync("p/#", { qos: 1 });
  await subscriber.endAsync();
  const publisher = await broker.client({ protocolVersion: 5 });
  const properties = {
    contentType: "text/plain",
    responseTopic: "answers/1",
    correlationData: Buffer.from([1, 2, 3]),
    userProperties: { a: "b" },
  };
  await publisher.publishAsync("p/short", "gone", { qos: 1, properties: { messageExpiryInterval: 1 } });
  await publisher.publishAsync("p/long", "kept", { qos: 1, properties: { ...properties, messageExpiryInterval: 60 } });
  const startedMs = performance.now();
  await eventually(() => performance.now() - startedMs > 1_050);
  const back = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, { ...away, reconnectPeriod: 0 });
  const [topic, payload, packet] = await once(back as unknown as EventEmitter, "message");
  back.end(true);
  expect([topic, String(payload)]).toEqual(["p/long", "kept"]);
  expect(packet.properties).toMatchObject({ ...properties, correlationData: Buffer.from([1, 2, 3]) });
  expect(packet.properties.messageExpiryInterval).toBeLessThan(60);
});

test("a session that is kept gets what was published while its client was away", async () => {
  const broker = await startBroker();
  const options = { clientId: "keeper", clean: false } as const;
  const first = await broker.client(options);
  await first.subscribeAsync("kept/#", { qos: 1 });
  await first.endAsync();
  const publisher = await broker.client();
  for (let i = 0; i < 50; i++) await publisher.publishAsync("kept/a", String(i), { qos: 1 });
  const heard: string[] = [];
  const again = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, { ...options, reconnectPeriod: 0 });
  again.on("message", (_topic, payload) => heard.push(String(payload)));
  const [connack] = await once(again as unknown as EventEmitter, "connect");
  expect(connack.sessionPresent).toBe(true);
  await eventually(() => heard.length >= 50);
  expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  await again.endAsync();
  const clean = await broker.client({ clientId: "keeper", clean: true });
  const nothing = heardBy(clean);
  await clean.subscribeAsync("other", { qos: 1 });
  await publisher.publishAsync("kept/a", "unheard", { qos: 1 });
  await publisher.publishAsync("other", "heard", { qos: 1 });
  await eventually(() => nothing.length > 0);
  expect(nothing).toEqual(["other heard"]);
});

test("a second connection under the same name takes the session over, and no acknowledged message is lost", async () => {
  const broker = await startBroker({ partitions: 2 });
  const publisher = await broker.client();
  const properties = { sessionExpiryInterval: 600 };
  const heard = new Set<string>();
  const ended: number[] = [];
  let published = 0;
  let over = false;
  const connectAgain = async (): Promise<void> => {
    const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
      clientId: "wanderer",
      clean: false,
      protocolVersion: 5,
      properties,
      reconnectPeriod: 0,
    });
    client.on("message", (_topic, payload) => heard.add(String(payload)));
    client.on("disconnect", ({ reasonCode = 0 }) => ended.push(reasonCode));
    client.on("error", () => {});
    await once(client as unknown as EventEmitter, "connect");
    if (published === 0) await client.subscribeAsync("wander", { qos: 1 });
  };
  await connectAgain();
  const publishing = (async () => {
    while (!over) await publisher.publishAsync("wander", String(published++), { qos: 1 });
  })();
  for (let takeover = 0; takeover < 10; takeover++) {
    const before = published;
    await eventually(() => published > before + 20);
    await connectAgain();
  }
  over = true;
  await publishing;
  await eventually(() => heard.size >= published);
  await eventually(() => ended.length >= 10);
  expect(ended).toEqual(Array.from({ length: 10 }, () => 0x8e));
});

test("a client that keeps silent longer than it has promised is disconnected, and one that sends pings is not", async () => {
  const broker = await startBroker({ partitions: 1 });
  const silent = await broker.client({ keepalive: 0 });
  const pinging = await broker.client({ keepalive: 1 });
  const socket = await broker.socket();
  // CONNECT of version 3.1.1 with a keep-alive of one second, and nothing more.
  socket.write(Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 1, 0, 1, 0x73]));
  const [connack] = await once(socket, "data");
  expect([...connack]).toEqual([0x20, 2, 0, 0]);
  const startedMs = performance.now();
  await once(socket, "close");
  expect(performance.now() - startedMs).toBeGreaterThan(1_400);
  expect([silent.connected, pinging.connected]).toEqual([true, true]);
});

test("a partition that is killed under load ends its own connections, publishes their wills, and takes new ones", async () => {
  const broker = await startBroker();
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      broker.client({
        clientId: `c${i}`,
        will: { topic: "wills/all", payload: Buffer.from(`c${i}`), qos: 1, retain: false },
      }),
    ),
  );
  await Promise.all(clients.map((client, i) => client.subscribeAsync([`own/${i}`, "wills/#"], { qos: 1 })));
  const heard = clients.map(heardBy);
  let loading = true;
  const load = clients.map(async (client, i) => {
    while (loading && client.connected) await client.publishAsync(`own/${i}`, "x", { qos: 1 }).catch(() => {});
  });
  await eventually(() => heard.every((lines) => lines.length > 10));
  const counts = await broker.counts(0);
  expect(counts.connections).toBe(10);
  await broker.endPartition(0);
  await eventually(() => clients.filter(({ connected }) => !connected).length >= 10);
  const left = clients.map((client, i) => ({ client, i })).filter(({ client }) => client.connected);
  expect(left.length).toBe(10);
  // Those that are left go on, and hear of each that has gone.
  const before = left.map(({ i }) => heard[i].length);
  await eventually(() => left.every(({ i }, at) => heard[i].length > before[at] + 20));
  const gone = clients.flatMap((client, i) => (client.connected ? [] : [`wills/all c${i}`])).sort();
  await eventually(() =>
    left.every(({ i }) => heard[i].filter((line) => line.startsWith("wills/")).length >= gone.length),
  );
  for (const { i } of left) expect(heard[i].filter((line) => line.startsWith("wills/")).sort()).toEqual(gone);
  loading = false;
  await Promise.all(load.filter((_, i) => clients[i].connected));
  expect(left.every(({ client }) => client.connected)).toBe(true);
  await eventually(async () => {
    const again = await broker.client({ clientId: "c0" }).catch(() => undefined);
    return again !== undefined && (await broker.counts(0)).connections > 0;
  });
});

test("a connection whose actor is killed ends alone, and a hub takes the connections of its partition along", async () => {
  const broker = await startBroker();
  const connections = broker.system.child("partitions") as PartitionedSupervisorRef;
  const will = (i: number) => ({ topic: "wills/all", payload: Buffer.from(`c${i}`), qos: 1 as const, retain: false });
  const clients = await Promise.all(
    Array.from({ length: 6 }, (_, i) => broker.client({ clientId: `c${i}`, will: will(i) })),
  );
  const watcher = await broker.client();
  const heard = heardBy(watcher);
  await watcher.subscribeAsync("wills/#", { qos: 1 });
  const connected = (): number => clients.filter((client) => client.connected).length;
  const membersOf = (partition: number) =>
    connections.members({ partition }).filter(({ id }) => id.startsWith("connection-"));

  broker.system.exit(membersOf(0)[0].ref, "kill");
  await eventually(() => connected() === 5 && heard.length === 1);
  expect(membersOf(0).length + membersOf(1).length).toBe(6);

  const other = membersOf(1).length;
  // The watcher is in the partition that it has been given as the seventh.
  const hub = broker.partitions[0]() as ActorRef;
  const gone = membersOf(0).length;
  broker.system.exit(hub, "kill");
  await eventually(() => membersOf(0).length === 0);
  expect(membersOf(1).length).toBe(other);
  expect(gone).toBeGreaterThan(1);
  await eventually(() => broker.partitions[0]() !== undefined && broker.partitions[0]()?.id === hub.id);
  await eventually(async () => {
    await broker.client({ clientId: "again" }).catch(() => {});
    return membersOf(0).length > 0;
  });
});

test("SIGTERM ends the broker once every acknowledged message is with its subscriber, and /metrics has its mailboxes", async () => {
  const program = startProgram(fileURLToPath(new URL("../../../examples/dist/mqtt-broker/main.js", import.meta.url)), [
    "0",
  ]);
  await program.says("listening on");
  const port = /listening on 127\.0\.0\.1:(\d+)/.exec(program.output())?.[1];
  const url = `mqtt://127.0.0.1:${port}`;
  const subscriber = await mqtt.connectAsync(url, { reconnectPeriod: 0, protocolVersion: 5 });
  const publisher = await mqtt.connectAsync(url, { reconnectPeriod: 0 });
  const heard = new Set<number>();
  let reason: number | undefined;
  subscriber.on("disconnect", ({ reasonCode }) => {
    reason = reasonCode;
  });
  subscriber.on("message", (_topic, payload) => heard.add(Number(payload)));
  await subscriber.subscribeAsync("a", { qos: 1 });
  const acknowledged: number[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const mine = next++;
      try {
        await publisher.publishAsync("a", String(mine), { qos: 1 });
      } catch {
        return;
      }
      acknowledged.push(mine);
      if (!publisher.connected) return;
    }
  };
  const lanes = Array.from({ length: 20 }, lane);
  await eventually(() => acknowledged.length > 200);
  const metrics = await (await fetch(/metrics on (\S+)/.exec(program.output())?.[1] as string)).text();
  expect(metrics).toMatch(/^emqx_go_actor_mailbox_length\{[^}]*topics-0[^}]*\} \d/m);
  expect(metrics).toMatch(/^emqx_go_connections\{partition="0"\} 1$/m);
  expect(metrics).toMatch(/^emqx_go_messages_received_total\{partition="\d"\} [1-9]/m);
  program.process.kill("SIGTERM");
  const { code, signal } = await program.ended;
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  publisher.end(true);
  await eventually(() => !subscriber.connected);
  expect(acknowledged.filter((one) => !heard.has(one))).toEqual([]);
  expect(reason).toBe(0x8b);
  await Promise.race([Promise.all(lanes), eventually(() => false, 200).catch(() => {})]);
});

const CONNECTIONS = 5_000;

test("with 5 000 connections a flood, a client that never reads and one that speaks no MQTT harm no other, and a killed partition takes only its own along", async () => {
  const broker = await startBroker({ topics: 2 });
  const load = startProgram(fileURLToPath(new URL("../../../examples/dist/mqtt-broker/load.js", import.meta.url)), [
    String(broker.port),
    String(CONNECTIONS),
    "200",
    "600",
  ]);
  await load.says("connected", 90_000);
  const running = (): { open: number; closed: number; received: number } => {
    const lines = load.output().split("\n");
    return JSON.parse(lines.findLast((line) => line.startsWith("running"))?.slice("running ".length) ?? "{}");
  };
  const goesOn = async (): Promise<void> => {
    const { received = 0 } = running();
    await eventually(() => running().received > received + 500, 30_000);
  };
  await goesOn();

  const { encode } = await brokerModule("core/encode.js");
  const join = async (clientId: string) => {
    const socket = await broker.socket();
    socket.write(encode({ cmd: "connect", clientId, protocolId: "MQTT", protocolVersion: 4, keepalive: 0 }, 4));
    await once(socket, "data");
    return socket;
  };
  const deaf = await join("deaf");
  deaf.pause();
  deaf.write(encode({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "flood/#", qos: 1 }] }, 4));
  const flooder = await join("flooder");
  const packet = encode({ cmd: "publish", topic: "flood/a", qos: 0, payload: Buffer.alloc(1_000) }, 4);
  const packets = Buffer.concat(Array.from({ length: 64 }, () => packet));
  const flood = (): void => {
    while (flooder.writable && flooder.write(packets));
  };
  flooder.on("drain", flood);
  flood();
  const noMqtt = await broker.socket();
  noMqtt.write("GET / HTTP/1.1\r\n\r\n");
  await once(noMqtt.resume(), "close");
  const countsOf = () => Promise.all(broker.partitions.map((_, partition) => broker.counts(partition)));
  const sum = async (name: string): Promise<number> =>
    (await countsOf()).reduce((total, counts) => total + counts[name], 0);
  await eventually(async () => (await sum("dropped")) > 1_000, 30_000);
  await goesOn();
  expect(running()).toMatchObject({ open: CONNECTIONS, closed: 0 });
  flooder.destroy();
  deaf.destroy();
  await eventually(async () => (await sum("connections")) === CONNECTIONS);

  const [{ connections }] = await countsOf();
  await broker.endPartition(0);
  await eventually(() => running().closed === connections, 30_000);
  await goesOn();
  expect(running()).toMatchObject({ open: CONNECTIONS - connections, closed: connections });
}, 180_000);
