import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ActorRef, type ActorSystem, type PartitionedSupervisorRef, startSystem } from "@mini-otp/runtime";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";

export interface BrokerUnderTest {
  readonly system: ActorSystem;
  readonly port: number;
  readonly metricsUrl: string;
  readonly partitions: readonly (() => ActorRef | undefined)[];
  counts(partition: number): Promise<Record<string, number>>;
  /** Ends the partition as a fault of one of its actors would. */
  endPartition(partition: number): Promise<void>;
  client(options?: IClientOptions): Promise<MqttClient>;
  /** A socket without a client's manners. */
  socket(): Promise<Socket>;
}

const folder = new URL("../../../examples/dist/mqtt-broker/", import.meta.url);

/** A module of the broker: it is compiled beside the tests, not with them. */
export const brokerModule = (path: string): Promise<any> => import(new URL(path, folder).href);

/** The example's broker in this process, and what connects to it; all of it ends with the test. */
export async function startBroker(options: { partitions?: number; topics?: number } = {}): Promise<BrokerUnderTest> {
  const { startBroker: start } = await brokerModule("broker.js");
  const system = await startSystem({ name: "mqtt-broker", strategy: "rest_for_one", logger: false });
  const clients: MqttClient[] = [];
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.end(true);
    for (const socket of sockets) socket.destroy();
    await system.stop();
  });
  const broker = await start(system, { port: 0, observePort: 0, partitions: 2, topics: 1, ...options });
  const url = `mqtt://127.0.0.1:${broker.port}`;
  return {
    system,
    ...broker,
    counts: (partition) => broker.partitions[partition]().call("counts"),
    async endPartition(partition) {
      const connections = system.child("partitions") as PartitionedSupervisorRef;
      const fault = await connections.startChild({
        actor: new URL("../light/fixtures/member.actor.js", import.meta.url),
        sameThreadAs: broker.partitions[partition](),
      });
      await fault.call("exit", 1).catch(() => {});
    },
    async client(clientOptions = {}) {
      const client = mqtt.connect(url, { reconnectPeriod: 0, ...clientOptions });
      clients.push(client);
      // It would wait for ever for one that closes before.
      await new Promise<void>((resolve, reject) => {
        client.once("connect", () => resolve());
        client.once("close", () => reject(new Error("the broker has closed the connection")));
        client.on("error", reject);
      });
      return client;
    },
    async socket() {
      const socket = connect(broker.port, "127.0.0.1").on("error", () => {});
      sockets.push(socket);
      await once(socket, "connect");
      return socket;
    },
  };
}

/** What a client receives from now on, as `topic payload`. */
export function heardBy(client: MqttClient): string[] {
  const heard: string[] = [];
  client.on("message", (topic, payload, { retain }) => {
    heard.push(`${topic} ${payload}${retain ? " (retained)" : ""}`);
  });
  return heard;
}
