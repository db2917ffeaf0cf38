// An MQTT broker, 3.1.1 and 5 with QoS 0 and 1. Usage: node main.js [port] [port of the live page] [partitions] [topics]
import { handleSignals, startSystem } from "@mini-otp/runtime";
import { startBroker } from "./broker.js";

const [port = "1883", observePort = "0", partitions = "2", topics = "2"] = process.argv.slice(2);

const system = await startSystem({ name: "mqtt-broker", strategy: "rest_for_one" });
handleSignals(system, { timeoutMs: 10_000 });
const broker = await startBroker(system, {
  port: Number(port),
  observePort: Number(observePort),
  partitions: Number(partitions),
  topics: Number(topics),
});
console.log(`metrics on ${broker.metricsUrl}`);
console.log(`listening on 127.0.0.1:${broker.port}`);
