import { joinCluster, singleton } from "@mini-otp/cluster";
import { startSystem } from "@mini-otp/runtime";
import { connect } from "@nats-io/transport-node";
import type Counter from "./counter.actor.js";
import { mainCpuMs } from "./main-cpu.js";

/** The other node: counters, and what subscribes and answers with nats.js alone. */
const url = process.argv[2] ?? "";
const counters = Number(process.argv[3]);

const system = await startSystem({ name: "b", logger: false });
const options = { cluster: "bench", node: "b", servers: [url], labels: { role: "receiver" } };
const cluster = await joinCluster(system, options);
for (let i = 0; i < counters; i++) {
  const ref = await system.startChild<typeof Counter>({
    id: `counter-${i}`,
    actor: new URL("./counter.actor.js", import.meta.url),
    handlerTimeoutMs: Number.POSITIVE_INFINITY,
    heapCapMb: 256,
    offHeapCapMb: 512,
  });
  await cluster.register(`counter-${i}`, ref);
}
const counter = new URL("./counter.actor.js", import.meta.url);
await system.startChild(singleton({ id: "counter", actor: counter, handlerTimeoutMs: Number.POSITIVE_INFINITY }));
await cluster.shards({
  id: "counter",
  entity: new URL("./counter.entity.js", import.meta.url),
  shards: 4,
  on: { role: "receiver" },
});

const nats = await connect({ servers: url, noAsyncTraces: true });
let got = 0;
let wanted = 0;
nats.subscribe("raw", {
  callback: () => {
    if (++got === wanted) nats.publish("raw.done");
  },
});
nats.subscribe("raw.want", {
  callback: (_error, message) => {
    wanted = Number(message.string());
    got = 0;
    message.respond();
  },
});
nats.subscribe("raw.ask", { callback: (_error, message) => void message.respond(message.data) });
nats.subscribe("cpu", {
  callback: (_error, message) => {
    const { user, system: inKernel } = process.cpuUsage();
    message.respond(JSON.stringify((user + inKernel) / 1000));
  },
});
nats.subscribe("main-cpu", { callback: (_error, message) => void message.respond(String(mainCpuMs())) });
nats.subscribe("end", { callback: () => process.exit(0) });
await nats.flush();
process.send?.("ready");
process.once("disconnect", () => process.exit(0));
