// Puts reports into the queue and waits for them, in any other process. Usage: node enqueue.js <URL or socket of Redis> [reports]
import { Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";
import type { Order, Report } from "./report.task.js";

const [redis, count] = process.argv.slice(2);
if (redis === undefined) {
  console.error("usage: node enqueue.js <URL or socket of Redis> [reports]");
  process.exit(2);
}

const plain = Array.from(
  { length: Number(count ?? 2) },
  (_, i): Order => ({ customer: `customer-${i}`, rows: 20_000 }),
);
const orders: Order[] = [
  ...plain,
  // Backtracks for years, and takes all the memory there is: each in a thread that has a limit for that.
  { customer: "slow", rows: 1, filter: "^(\\w+\\s?)+!$" },
  { customer: "huge", rows: 100_000_000 },
];

const connection = new Redis(redis, { maxRetriesPerRequest: null });
const queue = new Queue<Order, Report>("reports", { connection });
const events = new QueueEvents("reports", { connection });
await events.waitUntilReady();

const jobs = await queue.addBulk(orders.map((data) => ({ name: "report", data, opts: { attempts: 3 } })));
console.log(`${jobs.length} reports are in the queue`);
for (const job of jobs) {
  try {
    const { kept } = await job.waitUntilFinished(events);
    console.log(`${job.data.customer}: ${kept} rows`);
  } catch (error) {
    console.log(`${job.data.customer}: ${(error as Error).message}`);
  }
}

await Promise.all([events.close(), queue.close()]);
connection.disconnect();
