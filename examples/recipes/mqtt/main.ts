// Readings come by MQTT and go to actors, each sensor's to the same one. A reading is acknowledged to the broker once an
// actor has accepted it, so a broker waits while the actors have no room. Usage: node main.js [readings]
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { resource, router, startSystem } from "@mini-otp/runtime";
import { Aedes } from "aedes";
import mqtt, { type MqttClient } from "mqtt";
import type Meter from "./meter.actor.js";
import type { Reading } from "./meter.actor.js";

const readings = Number(process.argv[2] ?? 600);
const SENSORS = 8;

await using system = await startSystem({ name: "mqtt" });

// In your service the broker is elsewhere. Here it is a child that starts first and stops last.
const broker = await system.startChild(
  resource({
    id: "broker",
    async start({ fail }) {
      const aedes = await Aedes.createBroker();
      const server = createServer(aedes.handle).on("error", fail).listen(0, "127.0.0.1");
      await once(server, "listening");
      return { aedes, server, url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` };
    },
    stop({ aedes, server }) {
      server.close();
      return new Promise<void>((resolve) => aedes.close(resolve));
    },
  }),
);

const meters = await system.startChild(
  router<typeof Meter>({
    id: "meters",
    actor: new URL("./meter.actor.js", import.meta.url),
    size: 2,
    route: "consistent_hash",
    mailbox: { capacity: 64, overflow: "block" },
  }),
);

await system.startChild(
  resource({
    id: "subscriber",
    backoff: { minMs: 100, maxMs: 10_000 },
    async start({ fail }) {
      const client = await mqtt.connectAsync(broker.url, { clientId: "ingest", clean: false, reconnectPeriod: 0 });
      // mqtt.js acknowledges a message when its callback is called, and reads no further before that.
      client.handleMessage = (packet, acknowledge) => {
        const reading = JSON.parse(String((packet as { payload: Buffer }).payload)) as Reading;
        meters
          .forKey(reading.sensor)
          .cast("take", reading)
          .then(() => acknowledge(), acknowledge);
      };
      // A connection that is lost is this child's end, and its supervisor's business.
      client.on("close", () => fail(new Error("the connection to the broker was lost")));
      await client.subscribeAsync("sensors/+", { qos: 1 });
      return client;
    },
    stop: (client: MqttClient) => client.endAsync(),
  }),
);

const publisher = await mqtt.connectAsync(broker.url);
await Promise.all(
  Array.from({ length: readings }, (_, count) => {
    const sensor = `sensor-${count % SENSORS}`;
    return publisher.publishAsync(`sensors/${sensor}`, JSON.stringify({ sensor, count }), { qos: 1 });
  }),
);
await publisher.endAsync();

for (;;) {
  const answers = await meters.callAll("summary");
  const summaries = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const sum = (key: "readings" | "sensors"): number => summaries.reduce((total, summary) => total + summary[key], 0);
  if (sum("readings") < readings) continue;
  const order = summaries.every(({ inOrder }) => inOrder) ? "each sensor's in order" : "out of order";
  console.log(`${sum("readings")} readings of ${sum("sensors")} sensors, ${order}`);
  break;
}
