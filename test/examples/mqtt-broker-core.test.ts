import * as fc from "fast-check";
import { type Packet, parser } from "mqtt-packet";
import { expect, test } from "vitest";
import { brokerModule } from "./mqtt-broker.js";

const { FilterTree, RetainedTree } = await brokerModule("core/topic-trees.js");
const { isFilter, isTopic, partOf, partsOf } = await brokerModule("core/topics.js");
const { MAX_WAITING, Session } = await brokerModule("core/session.js");
const { connectionId, incarnationOf, partitionOf } = await brokerModule("core/connection-id.js");
const { Connection } = await brokerModule("core/connection.js");
const { encode } = await brokerModule("core/encode.js");

test.each([
  ["a", true],
  ["a//b", true],
  ["/", true],
  ["", false],
  ["a/+/b", false],
  ["a/#", false],
  ["a\0b", false],
  ["x/".repeat(200), false],
])("%j is a topic: %s", (topic, is) => {
  expect(isTopic(topic)).toBe(is);
});

test.each([
  ["a/+/b", true],
  ["#", true],
  ["+", true],
  ["a/#", true],
  ["/+", true],
  ["a/#/b", false],
  ["a#", false],
  ["a/b+", false],
  ["", false],
])("%j is a filter: %s", (filter, is) => {
  expect(isFilter(filter)).toBe(is);
});

/** The specification, level by level. */
function matches(filter: string, topic: string): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  for (const [at, level] of wanted.entries()) {
    if (level === "#") return true;
    if (at >= levels.length) return false;
    if (level !== "+" && level !== levels[at]) return false;
  }
  return wanted.length === levels.length;
}

const level = fc.constantFrom("a", "b", "$c", "");
const aTopic = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join("/"))
  .filter((topic) => isTopic(topic));
const aFilter = fc
  .array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 })
  .chain((levels) => fc.constantFrom(levels.join("/"), [...levels.slice(0, -1), "#"].join("/")))
  .filter((filter) => isFilter(filter));

test("the trees find what the specification says, after any subscriptions and removals", () => {
  fc.assert(
    fc.property(
      fc.array(aFilter),
      fc.array(aFilter),
      fc.array(aTopic, { minLength: 1 }),
      (filters, removed, topics) => {
        const tree = new FilterTree();
        for (const filter of filters) tree.add(filter, "client", filter);
        for (const filter of removed) tree.remove(filter, "client");
        const left = [...new Set(filters)].filter((filter) => !removed.includes(filter));
        expect(tree.size).toBe(left.length);
        const retained = new RetainedTree();
        for (const topic of topics) retained.set({ topic });
        for (const topic of topics) {
          const found: string[] = [];
          tree.match(topic, (filter: string) => found.push(filter));
          expect(found.sort()).toEqual(left.filter((filter) => matches(filter, topic)).sort());
        }
        for (const filter of filters) {
          const found: string[] = [];
          retained.find(filter, ({ topic }: { topic: string }) => found.push(topic));
          expect(found.sort()).toEqual([...new Set(topics)].filter((topic) => matches(filter, topic)).sort());
        }
      },
    ),
  );
});

test("a filter's subscription lies in each part in which a topic that it matches may lie", () => {
  fc.assert(
    fc.property(aFilter, aTopic, fc.integer({ min: 1, max: 8 }), (filter, topic, parts) => {
      if (matches(filter, topic)) expect(partsOf(filter, parts)).toContain(partOf(topic, parts));
    }),
  );
});

test("a connection's number tells its partition and in which life of the partition it was opened", () => {
  const id = connectionId(63, 1_000, 4_000_000_000);
  expect([partitionOf(id), incarnationOf(id), Number.isSafeInteger(id)]).toEqual([63, 1_000, true]);
});

const message = (payload: string, qos = 1, expiresAt = 0) => ({
  topic: "a",
  payload: Buffer.from(payload),
  qos,
  retain: false,
  from: "someone",
  expiresAt,
  properties: null,
});

test("a session keeps the newest that waits, counts what it dropped, and moves with all of it", () => {
  const session = new Session();
  for (let i = 0; i < MAX_WAITING + 10; i++) session.enqueue({ message: message(String(i)), qos: 1, retain: false });
  expect([session.waiting, session.dropped]).toEqual([MAX_WAITING, 10]);
  const first = session.next(0);
  const packetId = session.send(first);
  const moved = Session.from(structuredClone(session.toState()));
  expect([moved.waiting, moved.inFlight]).toEqual([MAX_WAITING - 1, 1]);
  expect(moved.acknowledge(packetId)).toBe(true);
  expect(String(Buffer.from(moved.next(0).message.payload))).toBe("11");
});

/** A connection with a wire and a broker that write down what they are told. */
function connected({ room = (): boolean => true, says = true, version = 4 } = {}) {
  const written: Buffer[] = [];
  const told: string[] = [];
  const wire = {
    buffered: 0,
    write: (bytes: Buffer) => void written.push(bytes),
    pause: () => void told.push("pause"),
    resume: () => void told.push("resume"),
    end: () => void told.push("end"),
    destroy: () => void told.push("destroy"),
  };
  const published: string[] = [];
  const hub = {
    claim: () => {},
    publish(_connection: unknown, { payload }: { payload: Buffer }) {
      if (!room()) return false;
      published.push(String(payload));
      return true;
    },
    subscribe: () => {},
    unsubscribe: () => {},
    left: (_connection: unknown, how: unknown) => void told.push(`left ${JSON.stringify(how)}`),
  };
  const counts = { received: 0, sent: 0, dropped: 0, malformed: 0 };
  const connection = new Connection(1, wire, hub, counts, 0);
  if (says) {
    connection.receive(
      encode({ cmd: "connect", clientId: "c", protocolId: "MQTT", protocolVersion: version, keepalive: 10 }, version),
      0,
    );
    connection.granted(undefined, 0);
  }
  written.length = 0;
  return { connection, wire, written, told, counts, published };
}

const publishPacket = (payload: string, messageId: number): Buffer =>
  encode({ cmd: "publish", topic: "a", payload, qos: 1, messageId, retain: false, dup: false }, 4);

test("a connection reads no more while the broker has no room, and then goes on where it was", () => {
  let room = 1;
  const { connection, told, published, written } = connected({ room: () => room-- > 0 });
  connection.receive(Buffer.concat([publishPacket("1", 1), publishPacket("2", 2), publishPacket("3", 3)]), 0);
  expect([published, told.at(-1), written.length]).toEqual([["1"], "pause", 1]);
  room = 10;
  connection.resume(0);
  expect([published, told.at(-1), written.length]).toEqual([["1", "2", "3"], "resume", 3]);
});

test("to a client that does not take its bytes QoS 0 is dropped, and QoS 1 waits until it does", () => {
  const { connection, wire, written, counts } = connected();
  wire.buffered = 2 ** 30;
  connection.deliver(message("lost", 0), 0, 0);
  connection.deliver(message("kept"), 1, 0);
  expect([written.length, counts.dropped, connection.session.waiting]).toEqual([0, 1, 1]);
  wire.buffered = 0;
  connection.drained(0);
  expect([written.length, connection.session.waiting, connection.session.inFlight]).toEqual([1, 0, 1]);
});

/** What a connection of version 5 is told when it sends this, as packets. */
function toldAbout(packet: object): Packet[] {
  const { connection, written } = connected({ version: 5 });
  connection.receive(encode(packet, 5), 0);
  const packets: Packet[] = [];
  const reader = parser({ protocolVersion: 5 }).on("packet", (one) => packets.push(one));
  for (const bytes of written) reader.parse(bytes);
  return packets;
}

const publishing = { cmd: "publish", topic: "a", payload: "x", qos: 0, retain: false, dup: false };
const subscribing = { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a", qos: 1 }] };

test.each([
  ["QoS 2", { ...publishing, qos: 2, messageId: 1 }, 0x9b],
  ["a topic alias", { ...publishing, properties: { topicAlias: 1 } }, 0x94],
  ["a topic with a wildcard", { ...publishing, topic: "a/+" }, 0x90],
  ["a subscription identifier", { ...subscribing, properties: { subscriptionIdentifier: 7 } }, 0xa1],
  ["a second CONNECT", { cmd: "connect", clientId: "d", protocolId: "MQTT", protocolVersion: 5, keepalive: 0 }, 0x82],
  ["AUTH", { cmd: "auth", reasonCode: 0, properties: { authenticationMethod: "m" } }, 0x82],
])("%s ends the connection, and the client is told why", (_what, packet, reasonCode) => {
  expect(toldAbout(packet).at(-1)).toMatchObject({ cmd: "disconnect", reasonCode });
});

test("filters that cannot be subscribed to are refused one by one", () => {
  const subscriptions = ["$share/group/a", "a/#/b"].map((topic) => ({ topic, qos: 1 }));
  expect(toldAbout({ ...subscribing, subscriptions }).at(-1)).toMatchObject({ cmd: "suback", granted: [0x9e, 0x8f] });
});

test("a client of version 3.1, and one that keeps a session without a name, are refused", () => {
  for (const [packet, code] of [
    [{ cmd: "connect", clientId: "c", protocolId: "MQIsdp", protocolVersion: 3, keepalive: 0 }, 1],
    [{ cmd: "connect", clientId: "", clean: false, protocolId: "MQTT", protocolVersion: 4, keepalive: 0 }, 2],
  ] as const) {
    const { connection, written, told } = connected({ says: false });
    // mqtt-packet makes no such packet with an empty name, so its two bytes of length are cut down to that.
    const bytes: Buffer = encode({ ...packet, clientId: "c" }, 4);
    const wanted = packet.clientId === "" ? Buffer.concat([bytes.subarray(0, -3), Buffer.from([0, 0])]) : bytes;
    if (packet.clientId === "") wanted[1] -= 1;
    connection.receive(wanted, 0);
    expect([...written[0]]).toEqual([0x20, 2, 0, code]);
    expect(told).toContain("end");
  }
});

test("a connection that says nothing is closed after 10 s, and one with a keep-alive after one and a half times that", () => {
  const silent = connected({ says: false });
  silent.connection.tick(9_999);
  expect(silent.told).not.toContain("end");
  silent.connection.tick(10_001);
  expect(silent.told).toContain("end");
  const open = connected();
  open.connection.tick(15_000);
  expect(open.told).not.toContain("end");
  open.connection.tick(15_001);
  expect(open.told).toContain("end");
});

test("any bytes at all end a connection or are taken: nothing is thrown", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), fc.boolean(), (chunks, says) => {
      const { connection, told } = connected({ says });
      for (const chunk of chunks) connection.receive(chunk, 0);
      expect(told.filter((line) => line === "end").length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});
