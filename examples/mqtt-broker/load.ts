// Very many clients of mqtt.js in one process. Tokens go from client to client, each at random to the next, and never
// rest; the time of each way is taken. Usage: node load.js <port> [connections] [tokens] [seconds] [qos]
// It prints a line once all are connected, one each second, and one at the end, each with JSON.
import { setTimeout as delay } from "node:timers/promises";
import mqtt, { type MqttClient } from "mqtt";

const [port, connections = "1000", tokens = "200", seconds = "5", qosText = "1"] = process.argv.slice(2);
const count = Number(connections);
const qos = Number(qosText) as 0 | 1;
const tokenCount = Number(tokens);
/** So many connect at a time. */
const CONNECTING = 64;
/** A token that no client has had for so long was lost with a connection: it is sent out again. */
const LOST_AFTER_MS = 2_000;
/** In which everything gets warm, uncounted. */
const WARM_UP_MS = 2_000;

const open: MqttClient[] = [];
const names = new Map<MqttClient, string>();
const seenAt = new Float64Array(tokenCount);
let latenciesMs: number[] = [];
let received = 0;
let lost = 0;
let closed = 0;
let over = false;

function send(token: number): void {
  const from = open[Math.floor(Math.random() * open.length)];
  const to = open[Math.floor(Math.random() * open.length)];
  if (from === undefined || to === undefined) return;
  const payload = Buffer.alloc(16);
  payload.writeDoubleLE(token, 0);
  const now = performance.now();
  payload.writeDoubleLE(now, 8);
  seenAt[token] = now;
  from.publish(`${names.get(to)}/tokens`, payload, { qos }, () => {});
}

function take(payload: Buffer): void {
  const token = payload.readDoubleLE(0);
  const sentMs = payload.readDoubleLE(8);
  // One that was counted as lost and has been sent again.
  if (over || seenAt[token] !== sentMs) return;
  received++;
  latenciesMs.push(performance.now() - sentMs);
  send(token);
}

async function connect(index: number): Promise<void> {
  const clientId = `device-${index}`;
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId,
    reconnectPeriod: 0,
    keepalive: 300,
    connectTimeout: 20_000,
  });
  names.set(client, clientId);
  client.on("message", (_topic, payload) => take(payload));
  client.on("error", () => {});
  client.on("close", () => {
    closed++;
    const at = open.indexOf(client);
    if (at >= 0) open.splice(at, 1);
  });
  await client.subscribeAsync(`${clientId}/#`, { qos });
  open.push(client);
}

const startedMs = performance.now();
let next = 0;
const lane = async (): Promise<void> => {
  while (next < count) await connect(next++);
};
await Promise.all(Array.from({ length: CONNECTING }, lane));
const connectMs = performance.now() - startedMs;
console.log(`connected ${JSON.stringify({ open: open.length, connectMs })}`);

for (let token = 0; token < tokenCount; token++) send(token);
const lasts = Number(seconds) * 1_000;
await delay(Math.min(WARM_UP_MS, lasts / 4));
latenciesMs = [];
const receivedBefore = received;
const measuredFrom = performance.now();
while (performance.now() - startedMs - connectMs < lasts) {
  await delay(Math.min(1_000, lasts / 4));
  for (const [token, at] of seenAt.entries()) {
    if (performance.now() - at < LOST_AFTER_MS) continue;
    lost++;
    send(token);
  }
  console.log(`running ${JSON.stringify({ open: open.length, closed, received, lost })}`);
}
const elapsedS = (performance.now() - measuredFrom) / 1_000;
const perSecond = (received - receivedBefore) / elapsedS;
latenciesMs.sort((a, b) => a - b);
const quantile = (q: number): number =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * q))];
console.log(
  `done ${JSON.stringify({
    open: open.length,
    closed,
    connectMs,
    received,
    lost,
    perSecond,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: latenciesMs.at(-1),
  })}`,
);
// The connections are looked at before they go.
for await (const _ of process.stdin.resume()) break;
over = true;
process.exit(0);
