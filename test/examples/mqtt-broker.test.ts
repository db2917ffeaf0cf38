import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { eventually } from "../support/eventually.js";
import { heardBy, startBroker } from "./mqtt-broker.js";

vi.setConfig({ testTimeout: 30_000 });

test.each([4, 5] as const)("a client of version %i gets what its filters match, once, in order", async (version) => {
  const broker = await startBroker({ topics: 2 });
  const protocolVersion = version;
  const subscriber = await broker.client({ protocolVersion });
  const publisher = await broker.client({ protocolVersion });
  const heard = heardBy(subscriber);
  await subscriber.subscribeAsync(["room/+/light", "room/#", "#"], { qos: 1 });
  await subscriber.subscribeAsync("other/exact");
  const topics = ["room/1/light", "room/2/heat", "other/exact", "third/x", "$other/hidden"];
  const sent: string[] = [];
  for (let i = 0; i < 200; i++) {
    const topic = topics[i % topics.length];
    await publisher.publishAsync(topic, String(i), { qos: i % 2 ? 1 : 0 });
    if (!topic.startsWith("$")) sent.push(`${topic} ${i}`);
  }
  await eventually(() => heard.length >= sent.length);
  // In the order of each topic: two topics may lie in two threads.
  for (const topic of topics) {
    const of = (lines: string[]): string[] => lines.filter((line) => line.startsWith(`${topic} `));
    expect(of(heard)).toEqual(of(sent));
  }
  await subscriber.unsubscribeAsync(["room/#", "#", "room/+/light"]);
  heard.length = 0;
  await publisher.publishAsync("room/1/light", "unheard", { qos: 1 });
  await publisher.publishAsync("other/exact", "last", { qos: 1 });
  await eventually(() => heard.length > 0);
  expect(heard).toEqual(["other/exact last"]);
});

test("a retained message is there for those that subscribe later, until an empty one takes it away", async () => {
  const broker = await startBroker();
  const publisher = await broker.client();
  await publisher.publishAsync("state/a", "1", { retain: true, qos: 1 });
  await publisher.publishAsync("state/a", "2", { retain: true, qos: 1 });
  await publisher.publishAsync("state/b", "3", { retain: true, qos: 1 });
  await publisher.publishAsync("state/b", "", { retain: true, qos: 1 });
  const late = await broker.client();
  const heard = heardBy(late);
  await late.subscribeAsync("state/+", { qos: 1 });
  await publisher.publishAsync("state/a", "4", { retain: true, qos: 1 });
  await eventually(() => heard.length >= 2);
  expect(heard).toEqual(["state/a 2 (retained)", "state/a 4"]);
});

test("a will is published when its client is gone without a word, and not when it says goodbye", async () => {
  const broker = await startBroker();
  const watcher = await broker.client();
  const heard = heardBy(watcher);
  await watcher.subscribeAsync("wills/#", { qos: 1 });
  const will = (topic: string) => ({ will: { topic, payload: Buffer.from("gone"), qos: 1 as const, retain: false } });
  const polite = await broker.client(will("wills/polite"));
  await polite.endAsync();
  const rude = await broker.client(will("wills/rude"));
  rude.stream.destroy();
  await eventually(() => heard.length > 0);
  expect(heard).toEqual(["wills/rude gone"]);
});

test("what is no MQTT, or announces too much, ends its own connection only", async () => {
  const broker = await startBroker({ partitions: 1 });
  const client = await broker.client();
  const heard = heardBy(client);
  await client.subscribeAsync("a", { qos: 1 });
  for (const chunks of [
    [Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    // A ping before CONNECT.
    [Buffer.from([0xc0, 0])],
    // A length that never ends.
    [Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
    // The beginning of a packet of 200 MB.
    [Buffer.from([0x30, 0x80, 0x80, 0xe0, 0x60]), Buffer.alloc(2_000_000)],
  ]) {
    const socket = await broker.socket();
    const closed = once(socket, "close");
    for (const chunk of chunks) socket.write(chunk);
    socket.resume();
    await closed;
  }
  await client.publishAsync("a", "still there", { qos: 1 });
  await eventually(() => heard.length > 0);
  expect((await broker.counts(0)).malformed).toBe(3);
});
